import Daemon
import Gateway

@main
struct Main {
    static func main() async {
        await Daemon.run(GatewayService.description) { try GatewayService.compose($0) }
    }
}
