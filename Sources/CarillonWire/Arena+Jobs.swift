internal import CCarillonProto
internal import CarillonCore

/// Jobs and their settings, as protobuf-c's structs.
extension Arena {
    /// The settings of a client's request. An empty list is sent as a cleared field, because protobuf cannot distinguish it from an
    /// absent list.
    func settings(_ settings: JobSettings) -> UnsafeMutablePointer<Carillon__V1__JobSettings> {
        let wire = one(carillon__v1__job_settings__init)
        var cleared = settings.cleared
        for entry in JobSettingsLayout.entries {
            guard let value = settings[entry.field] else { continue }
            if value == .list([]) || value == .headers([]) { cleared.insert(entry.field.name) }
            entry.write(value, to: UnsafeMutableRawPointer(wire), in: self)
        }
        (wire.pointee.n_cleared_fields, wire.pointee.cleared_fields) = strings(cleared.sorted())
        return wire
    }

    /// A job for clients. Every setting that has a value is sent, including defaults.
    func fill(_ view: JobView, _ wire: UnsafeMutablePointer<Carillon__V1__Job>) {
        let job = view.job
        wire.pointee.job_id = id(job.id.uuid)
        let settings = one(carillon__v1__job_settings__init)
        for entry in JobSettingsLayout.entries {
            guard let value = entry.field.value(of: job) else { continue }
            entry.write(value, to: UnsafeMutableRawPointer(settings), in: self)
        }
        wire.pointee.settings = settings
        wire.pointee.schedule_description = string(view.scheduleDescription)
        wire.pointee.version = job.version
        wire.pointee.created_at = job.createdAt.milliseconds
        wire.pointee.updated_at = job.updatedAt.milliseconds
        set(view.nextRunTime?.milliseconds, &wire.pointee.has_next_run_time, &wire.pointee.next_run_time)
    }

    /// An optional number, and the flag that says whether it is present.
    func set<Number: Numeric>(_ value: Number?, _ has: inout Int32, _ field: inout Number) {
        guard let value else { return }
        has = 1
        field = value
    }
}
