public import Contract
internal import Wire

/// An operation for a batch whose operations are known only when it runs; its answer stays JSON.
public struct BatchedOperation: Sendable {
    let entry: @Sendable () throws(ServiceError) -> RunBatch.Entry

    /// Any operation that may be part of a batch.
    public init<O: Operation>(_ operation: O) {
        entry = { () throws(ServiceError) in
            guard let arguments = try? operation.encoded() else {
                throw .invalidArgument("The arguments of \(O.name) cannot be sent.")
            }
            return RunBatch.Entry(call: O.name, arguments: arguments)
        }
    }
}
