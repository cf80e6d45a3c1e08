import Daemon
import Storage

@main
struct Main {
    static func main() async {
        await Daemon.run(StorageService.description) { try await StorageService.compose($0) }
    }
}
