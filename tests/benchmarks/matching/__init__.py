"""
Matching beside the usual ways of doing the same, from ten thousand to a million patents.

`corpus` draws the vectors, `methods` holds what is compared, `cell` measures one method at one size
in a process of its own, `report` makes the table and the plot, and `__main__` is the command;
`realism` compares drawn vectors with those of a warehouse.
"""
