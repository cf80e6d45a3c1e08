import Daemon
import Storage

@main
struct Main {
    static func main() async {
        await Daemon.run(StorageService.description) { try StorageService.compose($0) }
    }
}
