import CarillonCore
import TestSupport

/// A user with psql, who changes, inserts and deletes rows of jobs without notifying a scheduler.
final class HandEditor {
    private unowned let world: World
    private var nextName = 1

    init(world: World) {
        self.world = world
    }

    func edit() {
        guard !world.database.isAway else { return }
        let living = world.database.store.livingJobs
        guard var job = living.randomElement(using: &world.random) else { return insert() }
        switch Int.random(in: 0..<8, using: &world.random) {
        case 0: return insert()
        case 1:
            guard living.count > 1 else { return }
            job.deletedAt = world.databaseTime
            write(job, "by hand: deleted")
        case 2:
            job.active.toggle()
            write(job, job.active ? "by hand: activated" : "by hand: deactivated")
        case 3:
            job.priority += 1
            if world.random.happens(0.5) {
                job.executionType = job.executionType == .atMostOnce ? .atLeastOnce : .atMostOnce
            }
            write(job, "by hand: changed")
        default:
            ScheduleMaker(world: world).reschedule(&job)
            if world.random.happens(0.3) { ScheduleMaker(world: world).bound(&job) }
            write(job, "by hand: rescheduled")
        }
    }

    private func insert() {
        var job = world.clients.job(name: "by-hand-\(nextName)", tag: "by hand")
        nextName += 1
        job.id = JobID(UniqueID.ordered(by: world.trueTime, using: &world.random))
        (job.effectiveFrom, job.createdAt, job.updatedAt) = (world.databaseTime, world.databaseTime, world.databaseTime)
        write(job, "by hand: inserted")
    }

    private func write(_ job: Job, _ what: String) {
        guard let row = world.database.store.editByHand(job, now: world.databaseTime) else { return }
        world.count(what)
        if !row.active { world.clients.ended.insert(row.id) }
        world.oracle.editedByHand(row)
    }
}
