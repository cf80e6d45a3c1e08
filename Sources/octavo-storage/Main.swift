import Storage
import Daemon

@main
struct Main {
    static func main() async {
        await Daemon.run(StorageService.description) { try StorageService.compose($0) }
    }
}
