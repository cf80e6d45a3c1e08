import ArgumentParser
import Console

@main
struct Main {
    static func main() async {
        await Octavo.main()
    }
}
