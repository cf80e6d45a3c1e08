-- Where a book's documentation was read from, on the machine it was imported on: for importing it again.

alter table book add column sources text[] not null default '{}';
