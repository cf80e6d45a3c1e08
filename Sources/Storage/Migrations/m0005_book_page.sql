-- A page of a book's sections, behind the section `after` or from the first for 0: `sections` and `next`, the section to
-- ask for the next page after. Null when the book has no such section.
--
-- A function, so that a book without sections costs nothing for them: Postgres sets up every part of a statement before
-- it runs it, and of this one most parts, whether they are needed or not.
create function octavo_page(book bigint, after bigint, most bigint) returns jsonb
language plpgsql stable as $$
declare
    place record;
    page jsonb;
begin
    select section.file, section.position into place
    from section join document on document.id = section.document_id and document.live
    where section.id = after and section.book_id = book;
    if after <> 0 and not found then return null; end if;
    select jsonb_build_object(
        'sections', coalesce(jsonb_agg(entry order by number) filter (where number <= most), '[]'),
        'next', max(id) filter (where number = most and following is not null)) into page
    from (
        select section.id, row_number() over places as number, lead(section.id) over places as following,
            jsonb_build_object('id', section.id, 'headings', section.headings, 'file', section.file,
                'anchor', section.anchor) as entry
        from section join document on document.id = section.document_id and document.live
        where section.book_id = book
            and (after = 0 or (section.file, section.position) > (place.file, place.position))
        window places as (order by section.file, section.position)
        order by section.file, section.position
        limit most + 1
    ) as entries;
    return page;
end $$;
