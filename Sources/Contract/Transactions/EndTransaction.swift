public import Wire

/// Commits the transaction that the call is within; answered once Postgres has. Errors: `failed_precondition` when a
/// statement failed in it and the failure was passed over, `aborted` when it lost a race, `outcome_unknown`.
public struct CommitTransaction: Operation {
    /// The name on the wire.
    public static let name = "transactions.commit"
    /// The roles that may call it.
    public static let callers = BeginTransaction.callers
    /// It is done.
    public typealias Result = Done

    /// Stored with the transaction's idempotency key, for whoever begins it again.
    public var result: JSON?

    /// The call with its arguments.
    public init(result: JSON? = nil) {
        self.result = result
    }
}

/// Rolls the transaction back that the call is within; answered once Postgres has, and its locks are free.
public struct RollBackTransaction: Operation {
    /// The name on the wire.
    public static let name = "transactions.roll_back"
    /// The roles that may call it.
    public static let callers = BeginTransaction.callers
    /// It is done.
    public typealias Result = Done
    /// The call with its arguments.
    public init() {}
}
