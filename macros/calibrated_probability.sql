{#
    The probability that a calibration gives to a pair (alias `pairs`), by its similarity and one more measure: the
    logistic function of intercept + similarity_slope * similarity + slope * measure.
#}
{% macro calibrated_probability(calibrations, slope, measure) -%}
cast(
    1 / (
        1 + exp(
            -(
                {{ calibrations }}.intercept
                + {{ calibrations }}.similarity_slope * cast(pairs.similarity as double)
                + {{ calibrations }}.{{ slope }} * {{ measure }}
            )
        )
    ) as float
)
{%- endmacro %}
