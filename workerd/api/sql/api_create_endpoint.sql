-- A webhook endpoint. $1 uuid tenant or NULL, $2 text url, $3 text patterns of events as a JSON
-- list, $4 boolean ordered, $5 text description or NULL. One row: id. Locks: none but the new rows.
SELECT webhooks.endpoint_create($1::uuid, $2::text,
    ARRAY(SELECT jsonb_array_elements_text($3::jsonb)), $4::boolean,
    description => $5::text) AS id
