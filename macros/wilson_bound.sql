{#
  The lower (sign -) or upper (sign +) end of the 95 % interval of a share that was seen in so many draws (Wilson 1927):
  it says something even where every draw agrees. Null without draws.
#}
{% macro wilson_bound(share, draws, sign) -%}
    least(1, greatest(0, (
        ({{ share }}) + 1.9208 / nullif({{ draws }}, 0)
        {{ sign }} 1.96 * sqrt(
            greatest(0, ({{ share }}) * (1 - ({{ share }}))) / nullif({{ draws }}, 0)
            + 0.9604 / (nullif({{ draws }}, 0) * nullif({{ draws }}, 0))
        )
    ) / (1 + 3.8416 / nullif({{ draws }}, 0))))
{%- endmacro %}
