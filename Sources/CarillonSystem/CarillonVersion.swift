/// The version of all programs of this package: `--version`, `User-Agent`, `carillon_build_info`.
package enum CarillonVersion {
    package static let current = "0.1.0"
}
