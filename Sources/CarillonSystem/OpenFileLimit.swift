internal import Glibc

/// The limit of open files and sockets of this process.
package enum OpenFileLimit {
    /// Raises the soft limit to the hard limit: shells start programs with 1,024, which 256 concurrent calls can exceed. Returns the
    /// limit in force; if the kernel refuses, the limit is unchanged.
    @discardableResult
    package static func raise() -> UInt64 {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 0 }
        guard limit.rlim_cur < limit.rlim_max else { return UInt64(limit.rlim_cur) }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        return setrlimit(resource, &raised) == 0 ? UInt64(raised.rlim_cur) : UInt64(limit.rlim_cur)
    }
}
