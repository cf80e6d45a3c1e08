-- Conversations: their history is what was asked and answered in them, and nothing that a caller says it was.

create table conversation (
    id uuid primary key,
    agent text not null,
    reader text,
    channel text not null,
    created_at timestamptz not null default now()
);

-- Its runs in their order: the questions and answers are theirs.
create table turn (
    conversation_id uuid not null references conversation on delete cascade,
    number integer not null,
    run_id uuid not null unique references run on delete cascade,
    -- Taken back by the text that came after it: it is kept, and no longer part of the history.
    rolled_back boolean not null default false,
    primary key (conversation_id, number)
);

-- Every text that was said, under the id its caller gave it, and what became of it.
create table conversation_text (
    id uuid primary key,
    conversation_id uuid not null references conversation on delete cascade,
    text text not null,
    -- The run that answers it.
    run_id uuid not null references run on delete cascade,
    how text not null check (how in ('asked', 'merged')),
    said_at timestamptz not null default clock_timestamp()
);
create index conversation_text_conversation on conversation_text (conversation_id);
create index conversation_text_run on conversation_text (run_id);

-- What an agent does about a text that comes while it is at work on an earlier one; as if enqueue without a row.
create table agent_conduct (
    agent text primary key,
    double_text text not null check (double_text in ('enqueue', 'reject', 'interrupt', 'rollback', 'merge'))
);

-- A reader says something. Whoever says something in the same conversation waits for the row, so that the order is one and
-- what is under way is known.
create function octavo_say(
    talk uuid, text_id uuid, to_agent text, said text, by_reader text, on_channel text, usual_priority integer,
    usual_tries integer)
returns jsonb
language plpgsql as $$
declare
    held conversation;
    earlier conversation_text;
    conduct text;
    busy uuid[];
    waiting uuid;
    ended jsonb := '[]';
    asked bigint;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception using errcode = 'OC002',
            message = 'Nothing is said in a transaction that does not see what others commit.';
    end if;
    insert into conversation (id, agent, reader, channel) values (talk, to_agent, by_reader, on_channel)
    on conflict do nothing;
    select * into held from conversation where id = talk for update;
    if held.agent <> to_agent or held.reader is distinct from by_reader then
        raise exception using errcode = 'OC004', message = 'The conversation is another reader''s, or with another agent.';
    end if;
    select * into earlier from conversation_text where id = text_id;
    if found then
        if earlier.conversation_id <> talk or earlier.text <> said then
            raise exception using errcode = 'OC004', message = 'Another text was said under this id.';
        end if;
        return jsonb_build_object('run', earlier.run_id, 'new', false, 'how', earlier.how, 'ended', ended);
    end if;

    select array_agg(work.run_id) into busy from (
        select run_work.run_id from turn join run_work using (run_id)
        where conversation_id = talk and not rolled_back order by run_work.run_id for update of run_work
    ) as work;
    if busy is not null then
        select coalesce((select double_text from agent_conduct where agent = to_agent), 'enqueue') into conduct;
        if conduct = 'reject' then
            raise exception using errcode = 'OC002',
                message = format('The agent is still at work on run %s: wait for it, or cancel it.', busy[1]);
        elsif conduct = 'merge' then
            -- One that has begun has read its question already.
            select run_work.run_id into waiting
            from turn join run_work using (run_id) join run on run.id = run_work.run_id
                join question on question.id = run.question_id
            where conversation_id = talk and run_work.attempt = 0
                and octet_length(question.text) + 1 + octet_length(said) <= 16384
            order by number desc limit 1;
            if waiting is not null then
                update question set text = text || E'\n' || said
                where id = (select question_id from run where id = waiting);
                insert into conversation_text (id, conversation_id, text, run_id, how)
                values (text_id, talk, said, waiting, 'merged');
                return jsonb_build_object('run', waiting, 'new', true, 'how', 'merged', 'ended', ended);
            end if;
        elsif conduct in ('interrupt', 'rollback') then
            select coalesce(jsonb_agg(jsonb_build_object('run', run, 'runner', runner, 'attempt', attempt)), '[]') into ended
            from octavo_conclude_all(busy, 'cancelled', 'cancelled', 'The reader has said something else.');
            if conduct = 'rollback' then update turn set rolled_back = true where run_id = any(busy); end if;
        end if;
    end if;

    insert into question (text, reader, channel) values (said, by_reader, on_channel) returning id into asked;
    insert into run (id, question_id, agent, model) values (text_id, asked, to_agent, '');
    insert into turn (conversation_id, number, run_id)
    select talk, coalesce(max(number), 0) + 1, text_id from turn where conversation_id = talk;
    insert into conversation_text (id, conversation_id, text, run_id, how) values (text_id, talk, said, text_id, 'asked');
    -- One at a time: what comes next reads what came before.
    insert into run_work (run_id, agent, state, ticket, priority, tries, lane, lane_width)
    values (text_id, to_agent, 'queued', nextval('run_ticket'), usual_priority, usual_tries, 'conversation ' || talk, 1);
    return jsonb_build_object('run', text_id, 'new', true, 'how', 'asked', 'ended', ended);
end $$;

-- What a reader was shown of a run that did not come to its end: the text of the last attempt that said something.
create function octavo_shown(of_run uuid) returns text
language sql stable as $$
    select string_agg(event -> 'data' ->> 'text', '' order by sequence) from run_event
    where run_id = of_run and event ->> 'type' = 'text' and sequence > coalesce((
        select max(sequence) from run_event where run_id = of_run and event ->> 'type' = 'restarted'), 0)
$$;
