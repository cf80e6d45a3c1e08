import AgentRunner
import Daemon

@main
struct Main {
    static func main() async {
        await Daemon.run(AgentRunnerService.description) { try AgentRunnerService.compose($0) }
    }
}
