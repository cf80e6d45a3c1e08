/// What an operation does to a service, for the log of what administrators ask for.
///
/// What only administrators may call is logged with who asked: what reads at `info`, the rest at `notice`.
public enum Effect: Sendable {
    /// It changes nothing.
    case reads
    /// It changes what is stored.
    case changes
    /// It changes how the service behaves. Looking around must not do that by accident, so its arguments have to say
    /// `"confirm": true`.
    case administers
}
