internal import Glibc

/// How many descriptors the process may have.
enum OpenFiles {
    /// All it may: the usual soft limit of 1024 is there for programs that use select(2), and a thousand readers reach it.
    static func allowAll() {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(files, &limit)
    }
}
