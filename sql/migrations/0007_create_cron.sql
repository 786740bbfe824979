-- breaking: no
-- Cron expressions: reading one, and finding the instants it names. One implementation for SQL, C++
-- and the workers, in the database: its time zones are then the only ones, whatever tz data each
-- host has, and a SQL caller is told at once what is wrong. docs/schedules.md has the policy.

-- An expression, read. The n-th bit of a field stands for its n-th value.
CREATE TYPE queue.cron AS (
    -- @every: from one firing to the next; the fields below are NULL then.
    every_seconds bigint,
    seconds bit(60),
    minutes bit(60),
    hours bit(24),
    month_days bit(31),
    months bit(12),
    -- Sunday first.
    week_days bit(7),
    -- Day fields that begin with * or ?: the other one decides alone.
    any_month_day boolean,
    any_week_day boolean,
    -- L and L-n: days before the last of the month.
    from_end integer[],
    -- nW; and LW, L-nW: the weekday nearest to a day of the month.
    nearest integer[],
    nearest_from_end integer[],
    -- nL: the last of such a week day in a month.
    last_week_days integer[],
    -- n#k as ten times n and k: the k-th of such a week day in a month.
    nth_week_days integer[]);

CREATE FUNCTION queue.cron_error(field text, expected text, got text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'cron: %expected %, got %', field || ': ', expected,
        coalesce(quote_literal(left(got, 100)), 'NULL')
        USING ERRCODE = 'LQ001',
              HINT = 'Write minute hour day-of-month month day-of-week, six fields with the second '
                     || 'first, @daily and the like, or @every 90s.';
END
$$;

-- A number or a name of a field. Internal.
CREATE FUNCTION queue.cron_value(
    value text, field text, lowest integer, highest integer, names text[]) RETURNS integer
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    number integer;
BEGIN
    number := lowest - 1 + array_position(names, value);
    IF number IS NULL AND value ~ '^[0-9]{1,4}$' THEN
        number := value::integer;
    END IF;
    IF number IS NULL OR number NOT BETWEEN lowest AND highest THEN
        PERFORM queue.cron_error(field, format('%s to %s%s', lowest, highest,
            ' or ' || names[1] || ' ... ' || names[cardinality(names)]), value);
    END IF;
    RETURN number;
END
$$;

-- The values of one item of a field's list: *, 5, 5-9, and each of these with /step. Internal.
CREATE FUNCTION queue.cron_item(
    item text, field text, lowest integer, highest integer, names text[]) RETURNS bit varying
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    part text[] := regexp_match(item, '^(\*|[0-9A-Z]+)(?:-([0-9A-Z]+))?(?:/([0-9]{1,4}))?$');
    first integer := lowest;
    last integer := highest;
    step integer := coalesce(part[3]::integer, 1);
    bits bit varying := repeat('0', highest - lowest + 1)::bit varying;
BEGIN
    IF part IS NULL OR (part[1] = '*' AND part[2] IS NOT NULL) THEN
        PERFORM queue.cron_error(field, '*, a value, a range a-b, or one of these with /step',
                                 item);
    END IF;
    IF part[1] <> '*' THEN
        first := queue.cron_value(part[1], field, lowest, highest, names);
        IF part[2] IS NOT NULL THEN
            last := queue.cron_value(part[2], field, lowest, highest, names);
            -- Of the names of the days, Sunday also ends a range.
            IF last = 0 AND highest = 7 AND first > 0 THEN
                last := 7;
            END IF;
        ELSIF part[3] IS NULL THEN
            last := first;
        END IF;
    END IF;
    IF last < first THEN
        PERFORM queue.cron_error(field, 'a range that goes up (a list of two wraps around)', item);
    END IF;
    IF step NOT BETWEEN 1 AND highest - lowest THEN
        PERFORM queue.cron_error(field,
            format('a step of 1 to %s (@every takes any interval)', highest - lowest), item);
    END IF;
    FOR value IN first .. last BY step LOOP
        bits := set_bit(bits, value - lowest, 1);
    END LOOP;
    RETURN bits;
END
$$;

-- A field that is a plain list. Internal.
CREATE FUNCTION queue.cron_field(
    expression text, field text, lowest integer, highest integer, names text[]) RETURNS bit varying
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    item text;
    bits bit varying := repeat('0', highest - lowest + 1)::bit varying;
BEGIN
    FOREACH item IN ARRAY string_to_array(expression, ',') LOOP
        bits := bits | queue.cron_item(item, field, lowest, highest, names);
    END LOOP;
    RETURN bits;
END
$$;

-- The seconds of @every, as 90s, 1h30m, 2d. Internal.
CREATE FUNCTION queue.cron_every(expression text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    part text[] := regexp_match(expression,
        '^(?:(\d{1,3})D)?(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?$');
    seconds bigint := coalesce(part[1]::bigint, 0) * 86400 + coalesce(part[2]::bigint, 0) * 3600
        + coalesce(part[3]::bigint, 0) * 60 + coalesce(part[4]::bigint, 0);
BEGIN
    IF seconds NOT BETWEEN 1 AND 366 * 86400 THEN
        PERFORM queue.cron_error('@every', 'an interval of 1s to 366d, such as 90s or 1h30m',
                                 lower(expression));
    END IF;
    RETURN seconds;
END
$$;

-- The day fields, which know more than lists. Internal.
CREATE FUNCTION queue.cron_day_fields(of_month text, of_week text, INOUT c queue.cron)
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    days CONSTANT text[] := '{SUN,MON,TUE,WED,THU,FRI,SAT}';
    item text;
    part text[];
    bits bit(31) := repeat('0', 31)::bit(31);
    week bit(8) := repeat('0', 8)::bit(8);
BEGIN
    IF of_month = '?' AND of_week = '?' THEN
        PERFORM queue.cron_error('day of week', '? in one of the two day fields', of_week);
    END IF;
    c.any_month_day := of_month ~ '^[*?]';
    c.any_week_day := of_week ~ '^[*?]';
    FOREACH item IN ARRAY string_to_array(CASE of_month WHEN '?' THEN '*' ELSE of_month END, ',')
    LOOP
        part := regexp_match(item, '^(?:L(?:-(\d{1,2}))?|(\d{1,2}))(W)?$');
        IF item = 'WL' THEN
            c.nearest_from_end := c.nearest_from_end || 0;
        ELSIF part IS NULL OR (part[2] IS NOT NULL AND part[3] IS NULL) THEN
            bits := bits | queue.cron_item(item, 'day of month', 1, 31, NULL)::bit(31);
        ELSIF part[2] IS NOT NULL THEN
            c.nearest := c.nearest || queue.cron_value(part[2], 'day of month', 1, 31, NULL);
        ELSIF coalesce(part[1]::integer, 0) > 30 THEN
            PERFORM queue.cron_error('day of month', 'L-0 to L-30', item);
        ELSIF part[3] IS NOT NULL THEN
            c.nearest_from_end := c.nearest_from_end || coalesce(part[1]::integer, 0);
        ELSE
            c.from_end := c.from_end || coalesce(part[1]::integer, 0);
        END IF;
    END LOOP;
    FOREACH item IN ARRAY string_to_array(CASE of_week WHEN '?' THEN '*' ELSE of_week END, ',')
    LOOP
        part := regexp_match(item, '^([0-7]|[A-Z]{3})(?:L|#(\d{1,2}))$');
        IF part IS NULL THEN
            week := week | queue.cron_item(item, 'day of week', 0, 7, days)::bit(8);
        ELSIF part[2] IS NULL THEN
            c.last_week_days := c.last_week_days
                || queue.cron_value(part[1], 'day of week', 0, 7, days) % 7;
        ELSIF part[2]::integer NOT BETWEEN 1 AND 5 THEN
            PERFORM queue.cron_error('day of week', '#1 to #5', item);
        ELSE
            c.nth_week_days := c.nth_week_days || part[2]::integer
                + 10 * (queue.cron_value(part[1], 'day of week', 0, 7, days) % 7);
        END IF;
    END LOOP;
    c.month_days := bits;
    -- 7 is Sunday, too.
    c.week_days := (week | (week << 7))::bit(7);
END
$$;

-- The days of a month that match, the first day first. Internal.
CREATE FUNCTION queue.cron_days(c queue.cron, month date) RETURNS bit
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    last_day integer := extract(day FROM month + interval '1 month' - interval '1 day');
    first_dow integer := extract(dow FROM month);
    last_dow integer := (first_dow + last_day - 1) % 7;
    real_days bit(31) := repeat('1', 31)::bit(31) << (31 - last_day);
    by_date bit(31) := c.month_days;
    by_week bit(31);
    n integer;
    dow integer;
BEGIN
    IF c.any_month_day AND c.any_week_day AND c.week_days = B'1111111'
       AND position(B'0' IN c.month_days) = 0 THEN
        RETURN real_days;
    END IF;
    by_week := substring(repeat(c.week_days::text, 6) FROM first_dow + 1 FOR 31)::bit(31);
    FOREACH n IN ARRAY coalesce(c.from_end, '{}') LOOP
        IF n < last_day THEN
            by_date := set_bit(by_date, last_day - n - 1, 1);
        END IF;
    END LOOP;
    FOREACH n IN ARRAY coalesce(c.nearest, '{}')
        || ARRAY(SELECT last_day - e FROM unnest(c.nearest_from_end) e)
    LOOP
        CONTINUE WHEN n NOT BETWEEN 1 AND last_day;
        dow := (first_dow + n - 1) % 7;
        -- Never into another month.
        IF dow = 6 THEN
            n := CASE WHEN n > 1 THEN n - 1 ELSE n + 2 END;
        ELSIF dow = 0 THEN
            n := CASE WHEN n < last_day THEN n + 1 ELSE n - 2 END;
        END IF;
        by_date := set_bit(by_date, n - 1, 1);
    END LOOP;
    FOREACH dow IN ARRAY coalesce(c.last_week_days, '{}') LOOP
        by_week := set_bit(by_week, last_day - (last_dow - dow + 7) % 7 - 1, 1);
    END LOOP;
    FOREACH n IN ARRAY coalesce(c.nth_week_days, '{}') LOOP
        dow := (n / 10 - first_dow + 7) % 7 + 7 * (n % 10 - 1);
        IF dow < last_day THEN
            by_week := set_bit(by_week, dow, 1);
        END IF;
    END LOOP;
    -- As crontab(5): two restricted fields are alternatives.
    IF c.any_month_day OR c.any_week_day THEN
        RETURN by_date & by_week & real_days;
    END IF;
    RETURN (by_date | by_week) & real_days;
END
$$;

-- Reads an expression, or raises LQ001 with the field that is wrong.
CREATE FUNCTION queue.parse_cron(cron text) RETURNS queue.cron
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    expression text := upper(btrim(regexp_replace(cron, '\s+', ' ', 'g')));
    fields text[];
    c queue.cron;
BEGIN
    IF cron IS NULL OR octet_length(cron) > 256 OR expression = '' THEN
        PERFORM queue.cron_error('expression', '1 to 256 bytes', cron);
    END IF;
    IF expression ~ '^@EVERY ' THEN
        c.every_seconds := queue.cron_every(substr(expression, 8));
        RETURN c;
    END IF;
    expression := CASE expression
        WHEN '@YEARLY' THEN '0 0 1 1 *' WHEN '@ANNUALLY' THEN '0 0 1 1 *'
        WHEN '@MONTHLY' THEN '0 0 1 * *' WHEN '@WEEKLY' THEN '0 0 * * 0'
        WHEN '@DAILY' THEN '0 0 * * *' WHEN '@MIDNIGHT' THEN '0 0 * * *'
        WHEN '@HOURLY' THEN '0 * * * *' ELSE expression END;
    IF expression ~ '^@' THEN
        PERFORM queue.cron_error('expression', '@yearly, @monthly, @weekly, @daily, @hourly or '
            || '@every with an interval', cron);
    END IF;
    fields := string_to_array(expression, ' ');
    IF cardinality(fields) = 5 THEN
        fields := '0'::text || fields;
    ELSIF cardinality(fields) <> 6 THEN
        PERFORM queue.cron_error('expression',
            format('5 or 6 fields and not %s', cardinality(fields)), cron);
    END IF;
    c.seconds := queue.cron_field(fields[1], 'second', 0, 59, NULL);
    c.minutes := queue.cron_field(fields[2], 'minute', 0, 59, NULL);
    c.hours := queue.cron_field(fields[3], 'hour', 0, 23, NULL);
    c.months := queue.cron_field(fields[5], 'month', 1, 12,
        '{JAN,FEB,MAR,APR,MAY,JUN,JUL,AUG,SEP,OCT,NOV,DEC}');
    c := queue.cron_day_fields(fields[4], fields[6], c);
    -- Within 28 years every month meets every week day and every length it can have.
    FOR month IN 0 .. 28 * 12 - 1 LOOP
        IF get_bit(c.months, month % 12) = 1
           AND position(B'1' IN queue.cron_days(
               c, make_date(2000 + month / 12, month % 12 + 1, 1))) > 0 THEN
            RETURN c;
        END IF;
    END LOOP;
    PERFORM queue.cron_error('day of month',
        format('a day that occurs in month %s', lower(fields[5])), lower(fields[4]));
END
$$;

-- The first time after `after` that a wall clock without time changes would match; NULL when there
-- is none within fifty years. Internal.
CREATE FUNCTION queue.cron_next_local(c queue.cron, after timestamp) RETURNS timestamp
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    since timestamp := date_trunc('second', after) + interval '1 second';
    y integer := extract(year FROM since);
    mo integer := extract(month FROM since);
    d integer := extract(day FROM since);
    h integer := extract(hour FROM since);
    mi integer := extract(minute FROM since);
    s integer := extract(second FROM since);
    y_most CONSTANT integer := y + 50;
    days bit(31);
    ahead integer;
BEGIN
    IF get_bit(c.months, mo - 1) = 1 THEN
        days := queue.cron_days(c, make_date(y, mo, 1));
    END IF;
    -- From the second upwards: the first value not below, else the lowest and one more of the next.
    IF days IS NOT NULL AND get_bit(days, d - 1) = 1 THEN
        ahead := position(B'1' IN substring(c.seconds FROM s + 1));
        s := s + ahead - 1;
        IF ahead = 0 THEN
            mi := mi + 1;
            s := position(B'1' IN c.seconds) - 1;
        END IF;
        ahead := CASE WHEN mi > 59 THEN 0 ELSE position(B'1' IN substring(c.minutes FROM mi + 1))
                 END;
        IF ahead <> 1 THEN
            s := position(B'1' IN c.seconds) - 1;
        END IF;
        mi := mi + ahead - 1;
        IF ahead = 0 THEN
            h := h + 1;
            mi := position(B'1' IN c.minutes) - 1;
        END IF;
        ahead := CASE WHEN h > 23 THEN 0 ELSE position(B'1' IN substring(c.hours FROM h + 1)) END;
        IF ahead > 0 THEN
            IF ahead > 1 THEN
                mi := position(B'1' IN c.minutes) - 1;
                s := position(B'1' IN c.seconds) - 1;
            END IF;
            RETURN make_timestamp(y, mo, d, h + ahead - 1, mi, s);
        END IF;
        d := d + 1;
    END IF;
    LOOP
        ahead := CASE WHEN days IS NULL OR d > 31 THEN 0
                      ELSE position(B'1' IN substring(days FROM d)) END;
        IF ahead > 0 THEN
            RETURN make_timestamp(y, mo, d + ahead - 1, position(B'1' IN c.hours) - 1,
                                  position(B'1' IN c.minutes) - 1, position(B'1' IN c.seconds) - 1);
        END IF;
        d := 1;
        ahead := position(B'1' IN substring(c.months FROM mo + 1));
        mo := mo + ahead;
        IF ahead = 0 THEN
            y := y + 1;
            mo := position(B'1' IN c.months);
        END IF;
        IF y > y_most THEN
            RETURN NULL;
        END IF;
        days := queue.cron_days(c, make_date(y, mo, 1));
    END LOOP;
END
$$;

-- The first instant at which the wall clock of a zone shows `local` or later: of a time that occurs
-- twice the first, of one that is skipped the end of the gap. Internal.
CREATE FUNCTION queue.first_instant(local timestamp, zone text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    found timestamptz := local AT TIME ZONE zone;
    -- Further than any clock was ever moved.
    low timestamptz := found - interval '26 hours';
    high timestamptz := found;
    shift interval := (low AT TIME ZONE zone) - (local - interval '26 hours');
    middle timestamptz;
BEGIN
    IF (found AT TIME ZONE zone) = local THEN
        -- Was it shown before, under the offset of the day before?
        IF shift > interval '0' AND ((found - shift) AT TIME ZONE zone) = local THEN
            RETURN found - shift;
        END IF;
        RETURN found;
    END IF;
    WHILE (high AT TIME ZONE zone) <= local LOOP
        high := high + interval '1 hour';
    END LOOP;
    WHILE high - low > interval '1 second' LOOP
        middle := low + make_interval(secs => floor(extract(epoch FROM high - low) / 2));
        IF (middle AT TIME ZONE zone) > local THEN
            high := middle;
        ELSE
            low := middle;
        END IF;
    END LOOP;
    RETURN high;
END
$$;

-- The first matching instant after `after` of an expression that names every hour: such a one goes
-- by real time, so it is looked for stretch by stretch of one offset. Internal.
CREATE FUNCTION queue.cron_next_running(c queue.cron, zone text, after timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    stretch CONSTANT integer := 48 * 3600;
    base timestamptz := date_trunc('second', after);
    local timestamp;
    ahead double precision;
    low integer;
    high integer;
    middle integer;
BEGIN
    LOOP
        local := base AT TIME ZONE zone;
        ahead := extract(epoch FROM queue.cron_next_local(c, local) - local);
        IF ahead IS NULL THEN
            RETURN NULL;
        END IF;
        high := least(ahead, stretch);
        IF ((base + make_interval(secs => high)) AT TIME ZONE zone)
           = local + make_interval(secs => high) THEN
            IF ahead <= stretch THEN
                RETURN base + make_interval(secs => high);
            END IF;
            base := base + make_interval(secs => greatest(stretch, ahead - stretch));
            CONTINUE;
        END IF;
        -- The offset changes before that: nothing matches up to there, look anew from there.
        low := 0;
        WHILE high - low > 1 LOOP
            middle := (low + high) / 2;
            IF ((base + make_interval(secs => middle)) AT TIME ZONE zone)
               = local + make_interval(secs => middle) THEN
                low := middle;
            ELSE
                high := middle;
            END IF;
        END LOOP;
        base := base + make_interval(secs => high);
        local := base AT TIME ZONE zone;
        IF queue.cron_next_local(c, local - interval '1 second') = local THEN
            RETURN base;
        END IF;
    END LOOP;
END
$$;

-- The first slot after `after`; NULL when there is none. `anchor` is what @every counts from.
-- Internal.
CREATE FUNCTION queue.cron_next(
    c queue.cron, zone text, anchor timestamptz, after timestamptz) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    local timestamp;
    slot timestamptz;
BEGIN
    IF c.every_seconds IS NOT NULL THEN
        RETURN anchor + make_interval(secs => c.every_seconds * greatest(1,
            floor(extract(epoch FROM after - anchor) / c.every_seconds) + 1));
    END IF;
    IF position(B'0' IN c.hours) = 0 THEN
        RETURN queue.cron_next_running(c, zone, after);
    END IF;
    local := after AT TIME ZONE zone;
    LOOP
        local := queue.cron_next_local(c, local);
        slot := queue.first_instant(local, zone);
        -- Within a repeated hour, what it repeats has been; after a gap, what it skipped has.
        IF slot > after OR slot IS NULL THEN
            RETURN slot;
        END IF;
    END LOOP;
END
$$;

-- The last slot after `after` and not after `until`; NULL when there is none. Internal.
CREATE FUNCTION queue.cron_last(
    c queue.cron, zone text, anchor timestamptz, after timestamptz, until timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    slot timestamptz := queue.cron_next(c, zone, anchor, after);
    -- Nothing lies between it and `until`.
    high timestamptz := until;
    middle timestamptz;
    next_slot timestamptz;
BEGIN
    IF slot > until THEN
        RETURN NULL;
    END IF;
    WHILE high - slot > interval '1 second' LOOP
        middle := slot + make_interval(secs => extract(epoch FROM high - slot) / 2);
        next_slot := queue.cron_next(c, zone, anchor, middle);
        IF next_slot <= until THEN
            slot := next_slot;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    next_slot := queue.cron_next(c, zone, anchor, slot);
    RETURN CASE WHEN next_slot <= until THEN next_slot ELSE slot END;
END
$$;

-- The name of a time zone as the tz database writes it, or LQ001. PostgreSQL itself would also take
-- abbreviations and POSIX rules ('Foo/Bar5'), which know no daylight saving or lie about it. It
-- even prefers the abbreviation where a zone has the same name: CET would be winter for ever.
CREATE FUNCTION queue.check_timezone(timezone text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    known text;
BEGIN
    IF check_timezone.timezone = 'UTC' THEN
        RETURN 'UTC';
    END IF;
    SELECT z.name INTO known FROM pg_timezone_names z
    WHERE lower(z.name) = lower(check_timezone.timezone) AND z.name !~ '^(posix|right)/';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'timezone: expected a name of the tz database such as Europe/Berlin, got %',
            coalesce(quote_literal(left(check_timezone.timezone, 100)), 'NULL')
            USING ERRCODE = 'LQ001',
                  HINT = 'SELECT name FROM pg_timezone_names lists them.';
    END IF;
    IF known NOT IN ('UTC', 'UCT', 'GMT', 'Zulu')
       AND EXISTS (SELECT FROM pg_timezone_abbrevs a WHERE a.abbrev = upper(known)) THEN
        RAISE EXCEPTION 'timezone: expected the name of a zone, got %, an abbreviation without '
            'daylight saving', quote_literal(known)
            USING ERRCODE = 'LQ001', HINT = 'Name a city of the zone, such as Europe/Berlin.';
    END IF;
    RETURN known;
END
$$;

-- The next n firings of an expression, for looking before leaping.
CREATE FUNCTION queue.preview_cron(
    cron text, n integer DEFAULT 5, timezone text DEFAULT 'UTC', after timestamptz DEFAULT NULL)
RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c queue.cron := queue.parse_cron(preview_cron.cron);
    zone text := queue.check_timezone(preview_cron.timezone);
    slot timestamptz := coalesce(preview_cron.after, clock_timestamp());
    anchor CONSTANT timestamptz := date_trunc('second', slot);
BEGIN
    IF preview_cron.n IS NULL OR preview_cron.n NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'n: expected 1 to 1000, got %', preview_cron.n USING ERRCODE = 'LQ001';
    END IF;
    FOR i IN 1 .. preview_cron.n LOOP
        slot := queue.cron_next(c, zone, anchor, slot);
        EXIT WHEN slot IS NULL;
        RETURN NEXT slot;
    END LOOP;
END
$$;
