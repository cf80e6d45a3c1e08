/// Who is at the other end of a socket. Each role has a listening socket of its own, and the socket's role, never the
/// caller's word, decides which operations may be called (`protocol/README.md`).
public enum Role: String, Codable, Sendable, CaseIterable {
    case gateway
    case agentRunner = "agent-runner"
    case admin
}
