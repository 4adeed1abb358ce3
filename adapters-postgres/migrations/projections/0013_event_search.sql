-- What an event is found by: words of its texts, its city and its category. The server writes these terms, so that every
-- store compares texts alike. For events that are there already they are made here, nearly in the same way.
ALTER TABLE read_models.events ADD COLUMN search tsvector NOT NULL DEFAULT '';

CREATE FUNCTION pg_temp.words(text) RETURNS text[] LANGUAGE sql AS $$
    SELECT array_remove(regexp_split_to_array(
        lower(regexp_replace(normalize($1, NFKD), '[\u0300-\u036f]', '', 'g')), '[^[:alnum:]\u0080-\uffff]+'), '')
$$;

UPDATE read_models.events SET search = array_to_tsvector(
    (SELECT coalesce(array_agg('word:' || left(word, 64)), '{}')
     FROM unnest(pg_temp.words(concat_ws(' ', view #>> '{details,name}', view #>> '{details,category}',
                                         view #>> '{details,genre}', view #>> '{details,venue,name}',
                                         view #>> '{details,venue,city}'))) AS word)
    || ('city:' || coalesce(array_to_string(pg_temp.words(view #>> '{details,venue,city}'), ' '), ''))
    || CASE WHEN view #>> '{details,category}' IS NULL THEN '{}'::text[]
            ELSE ARRAY['category:' || array_to_string(pg_temp.words(view #>> '{details,category}'), ' ')] END
);

CREATE INDEX events_by_search ON read_models.events USING gin (search);
