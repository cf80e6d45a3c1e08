import Contract

extension ApprovalNotice {
    /// For whoever waits for the run, with what somebody has to type.
    var sentence: String {
        let call = "that \(Terminal.harmless(agent)) calls \(Terminal.harmless(tool))"
        return switch state {
        case .pending:
            "waits until somebody approves \(call), until \(expires): octavo approvals, then octavo approvals approve \(approval)"
        case .approved, .used: "somebody has approved \(call)"
        case .denied: "somebody does not want \(call)\(reason.map { ": \(Terminal.harmless($0))" } ?? "")"
        case .expired, .void: "nobody has approved in time \(call)"
        }
    }
}
