package import Postgres

extension [Migration] {
    /// Octavo's tables, from the files of the folder `Migrations`. An applied file is never changed; a new one is added.
    package static let octavo: [Migration] = [
        Migration(number: 1, name: "books", sql: text(PackageResources.m0001_books_sql)),
        Migration(number: 2, name: "runs", sql: text(PackageResources.m0002_runs_sql)),
        Migration(number: 3, name: "readers", sql: text(PackageResources.m0003_readers_sql)),
        Migration(number: 4, name: "sources", sql: text(PackageResources.m0004_sources_sql)),
        Migration(number: 5, name: "book_page", sql: text(PackageResources.m0005_book_page_sql)),
        Migration(number: 6, name: "keys", sql: text(PackageResources.m0006_keys_sql)),
        Migration(number: 10, name: "run_work", sql: text(PackageResources.m0010_run_work_sql)),
        Migration(number: 11, name: "run_engine", sql: text(PackageResources.m0011_run_engine_sql)),
        Migration(number: 12, name: "run_steps", sql: text(PackageResources.m0012_run_steps_sql)),
        Migration(number: 13, name: "schedules", sql: text(PackageResources.m0013_schedules_sql)),
        Migration(number: 14, name: "outbox", sql: text(PackageResources.m0014_outbox_sql)),
        Migration(number: 15, name: "conversations", sql: text(PackageResources.m0015_conversations_sql)),
        Migration(number: 16, name: "approvals", sql: text(PackageResources.m0016_approvals_sql)),
        Migration(number: 17, name: "approval_callers", sql: text(PackageResources.m0017_approval_callers_sql)),
        Migration(number: 18, name: "traces", sql: text(PackageResources.m0018_traces_sql)),
        Migration(number: 20, name: "step_costs", sql: text(PackageResources.m0020_step_costs_sql)),
        Migration(number: 21, name: "run_writes", sql: text(PackageResources.m0021_run_writes_sql)),
        Migration(number: 22, name: "no_jit", sql: text(PackageResources.m0022_no_jit_sql)),
        Migration(number: 23, name: "promises", sql: text(PackageResources.m0023_promises_sql)),
        Migration(number: 24, name: "retries", sql: text(PackageResources.m0024_retries_sql)),
        Migration(number: 25, name: "budgeted_steps", sql: text(PackageResources.m0025_budgeted_steps_sql)),
        Migration(number: 26, name: "unique_keys", sql: text(PackageResources.m0026_unique_keys_sql)),
        Migration(number: 27, name: "record_indexes", sql: text(PackageResources.m0027_record_indexes_sql)),
        Migration(number: 28, name: "run_ids", sql: text(PackageResources.m0028_run_ids_sql)),
        Migration(number: 29, name: "postponed", sql: text(PackageResources.m0029_postponed_sql)),
    ]

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
