{# Stops before any work where a variable is unknown, or has a value that no model understands. An on-run-start hook. #}
{% macro check_variables() -%}
    {%- set rules = variable_rules() -%}
    {#- Only dbt says what --vars named; the command line refuses unknown ones itself. -#}
    {%- set named = invocation_args_dict.vars or {} if invocation_args_dict is defined else {} -%}
    {%- for name in named if name not in rules -%}
        {{ exceptions.raise_compiler_error(
            "dbt_project.yml declares no variable `" ~ name ~ "`. It declares " ~ rules | sort | join(', ') ~ "."
        ) }}
    {%- endfor -%}
    {%- for name, rule in rules.items() -%}
        {%- set value = var(name) -%}
        {%- if 'or' in rule and value == rule['or'] -%}
            {%- set wanted = none -%}
        {%- elif 'one_of' in rule -%}
            {%- set wanted = none if value in rule['one_of'] else 'one of ' ~ rule['one_of'] | join(', ') -%}
        {%- elif 'from' in rule -%}
            {%- set fits = value is integer and value >= rule['from'] -%}
            {%- set wanted = none if fits else 'a whole number from ' ~ rule['from'] -%}
        {%- elif rule.get('is') == 'text' -%}
            {%- set wanted = none if value is string and value else 'text' -%}
        {%- elif rule.get('is') == 'list' -%}
            {%- set fits = value is sequence and value is not string and value is not mapping -%}
            {%- set wanted = none if fits else 'a list' -%}
        {%- else -%}
            {%- set above = rule.get('above', rule.get('at_least')) -%}
            {%- set fits = value is number and value is not boolean and above <= value <= rule['at_most'] -%}
            {%- set fits = fits and ('above' not in rule or value > above) -%}
            {%- set range = 'above ' ~ above ~ ', at most ' if 'above' in rule else 'from ' ~ above ~ ' to ' -%}
            {%- set wanted = none if fits else 'a number ' ~ range ~ rule['at_most'] -%}
        {%- endif -%}
        {%- if wanted -%}
            {{ exceptions.raise_compiler_error(
                "The variable `" ~ name ~ "` is " ~ value ~ "; set it to "
                ~ (('null' if rule['or'] is none else rule['or']) ~ ' or to ' if 'or' in rule else '') ~ wanted ~ "."
            ) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
