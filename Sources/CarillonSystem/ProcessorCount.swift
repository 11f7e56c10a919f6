internal import Glibc

/// The number of processors.
package enum ProcessorCount {
    /// The online processors of the machine, at least one. Container limits are not considered.
    package static var online: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
