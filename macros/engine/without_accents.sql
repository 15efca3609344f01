{# Text without accents: `é` becomes `e`. #}
{% macro without_accents(text) -%}
    {{ return(adapter.dispatch('without_accents')(text)) }}
{%- endmacro %}

{% macro default__without_accents(text) -%}
strip_accents({{ text }})
{%- endmacro %}

{% macro spark__without_accents(text) -%}
translate(
            {{ text }},
            'ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüýÿ',
            'AAAAAACEEEEIIIINOOOOOUUUUYaaaaaaceeeeiiiinooooouuuuyy'
        )
{%- endmacro %}
