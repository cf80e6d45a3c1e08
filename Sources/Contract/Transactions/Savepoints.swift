/// Sets a savepoint in the transaction that the call is within: a transaction nested in it. Those in one another count
/// from 1; each is set when the ones below it are.
public struct SetSavepoint: Operation {
    /// The name on the wire.
    public static let name = "savepoints.set"
    /// The roles that may call it.
    public static let callers = BeginTransaction.callers
    /// It is done.
    public typealias Result = Done
    /// How deep savepoints may lie in one another: each costs Postgres a subtransaction.
    public static let deepest = 16

    /// Its number, 1 to 16.
    public var savepoint: Int

    /// The call with its arguments.
    public init(_ savepoint: Int) {
        self.savepoint = savepoint
    }
}

/// Ends a savepoint; what was done since stays part of the transaction.
public struct ReleaseSavepoint: Operation {
    /// The name on the wire.
    public static let name = "savepoints.release"
    /// The roles that may call it.
    public static let callers = BeginTransaction.callers
    /// It is done.
    public typealias Result = Done

    /// Its number.
    public var savepoint: Int

    /// The call with its arguments.
    public init(_ savepoint: Int) {
        self.savepoint = savepoint
    }
}

/// Undoes what was done since a savepoint, and ends it. A transaction in which a statement failed goes on after that.
public struct RollBackToSavepoint: Operation {
    /// The name on the wire.
    public static let name = "savepoints.roll_back"
    /// The roles that may call it.
    public static let callers = BeginTransaction.callers
    /// It is done.
    public typealias Result = Done

    /// Its number.
    public var savepoint: Int

    /// The call with its arguments.
    public init(_ savepoint: Int) {
        self.savepoint = savepoint
    }
}
