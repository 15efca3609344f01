-- A word is looked up once: a standard that has another standard would leave keywords of one meaning apart.
select variants.variant
from {{ ref('spelling_variants') }} as variants
inner join {{ ref('spelling_variants') }} as standards on variants.standard = standards.variant
where
    standards.standard <> standards.variant
    or lower(variants.variant) <> variants.variant
    or lower(variants.standard) <> variants.standard
