// The toolchain has no Swift Testing to link statically; executables that are linked so do not contain this module.
#if canImport(Testing)
    public import Testing

    /// Runs each test in a transaction of its own, which is rolled back afterwards: `TestStorage.rolledBack`.
    ///
    ///     @Suite(.rolledBack) struct ReadingListTests {
    ///         let storage = try TestStorage.current.client
    ///     }
    public struct RolledBack: TestTrait, SuiteTrait, TestScoping {
        /// Each test of a suite has its own transaction, and each of its arguments.
        public var isRecursive: Bool { true }

        /// Once for each test and each of its arguments.
        public func provideScope(
            for test: Test,
            testCase: Test.Case?,
            performing function: @concurrent @Sendable () async throws -> Void
        ) async throws {
            try await TestStorage.rolledBack { try await function() }
        }
    }

    extension Trait where Self == RolledBack {
        /// Runs each test in a transaction of its own on the shared `TestStorage`, and rolls it back.
        public static var rolledBack: RolledBack { RolledBack() }
    }
#endif
