internal import Glibc

/// How many processors this machine has.
package enum ProcessorCount {
    /// Those that are switched on, at least one; what a container may use of them is not known.
    package static var online: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
