import CarillonCore
import CarillonPostgres
import TestSupport
import Testing

@Suite struct LeaseTests {
    private let other = UniqueID(high: 0xB0B0_0000_0000_4000, low: 0x8000_0000_0000_0002)

    private func take(_ store: PostgresStore, _ owner: UniqueID, _ address: String, leaseMs: Int = 60_000) async throws
        -> LeaseResult
    {
        try await store.lease(.acquireLease(owner: owner, address: address, leaseMs: leaseMs))
    }

    @Test func `one scheduler holds the lease until it ends`() async throws {
        let fixture = try Fixture()
        let second = fixture.otherStore()
        guard case .held(let first, let shards, let time, _) = try await take(fixture.store, fixture.owner, "one:1")
        else {
            throw Unexpected("not held")
        }
        #expect(shards.count == 16 && shards.map(\.shard) == Array(0..<16))
        #expect(shards.allSatisfy { $0.owner == fixture.owner && $0.epoch == first && $0.address == "one:1" })
        #expect(shards.allSatisfy { ($0.leaseExpiresAt ?? .distantPast) - time > 59_900 })
        guard case .heldByOther(leader: "one:1", _) = try await take(second, other, "two:2") else {
            throw Unexpected("held")
        }
        // A renewal keeps the lease. When its owner requests it again, it gets a new epoch, and the old epoch is void.
        guard
            case .held(first, _, let later, _) = try await fixture.store.lease(
                .renewLease(owner: fixture.owner, epoch: first, leaseMs: 60_000)
            )
        else { throw Unexpected("not kept") }
        #expect(later >= time)
        guard case .held(let retaken, _, _, _) = try await take(fixture.store, fixture.owner, "one:1"), retaken > first
        else { throw Unexpected("not held") }
        guard
            case .heldByOther(leader: "one:1", _) = try await fixture.store.lease(
                .renewLease(owner: fixture.owner, epoch: first, leaseMs: 60_000)
            )
        else { throw Unexpected("kept under an old epoch") }
        // After the release it is free at once.
        guard case .released = try await fixture.store.answer(to: .releaseLease(owner: fixture.owner, epoch: retaken))
        else {
            throw Unexpected("not released")
        }
        guard case .held(let third, _, _, _) = try await take(second, other, "two:2"), third > retaken else {
            throw Unexpected("not free")
        }
        second.shutdown()
    }

    @Test func `the lock of a lost session is free at once, although the lease has not ended`() async throws {
        let fixture = try Fixture()
        let second = fixture.otherStore()
        _ = try await take(fixture.store, fixture.owner, "one:1", leaseMs: 600_000)
        try fixture.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        // The former leader is notified without a request of its own.
        _ = await fixture.lost.first { _ in true }
        guard case .held = try await take(second, other, "two:2") else {
            throw Unexpected("not taken over")
        }
        let answer = try await fixture.store.answer(to: .renewLease(owner: fixture.owner, epoch: 1, leaseMs: 60_000))
        guard case .leaseConnectionLost = answer else { throw Unexpected("\(answer)") }
        guard case .heldByOther(leader: "two:2", _) = try await take(fixture.store, fixture.owner, "one:1") else {
            throw Unexpected("taken twice")
        }
        second.shutdown()
    }

    @Test func `a session that holds the lock beyond its lease is terminated`() async throws {
        let fixture = try Fixture()
        let second = fixture.otherStore()
        _ = try await take(fixture.store, fixture.owner, "one:1", leaseMs: 1)
        guard case .held(_, let shards, _, _) = try await take(second, other, "two:2") else {
            throw Unexpected("not taken over")
        }
        #expect(shards.allSatisfy { $0.owner == other })
        _ = await fixture.lost.first { _ in true }
        second.shutdown()
    }

    @Test func `a store that shuts down releases the lock with its session`() async throws {
        let fixture = try Fixture()
        let first = fixture.otherStore()
        _ = try await take(first, other, "one:1", leaseMs: 600_000)
        first.shutdown()
        var result = try await take(fixture.store, fixture.owner, "two:2")
        while case .heldByOther = result { result = try await take(fixture.store, fixture.owner, "two:2") }
        guard case .held = result else { throw Unexpected("\(result)") }
    }

    @Test func `an epoch follows the clock and every epoch that a worker has seen`() async throws {
        let fixture = try Fixture()
        guard case .held(let first, let shards, let time, _) = try await take(fixture.store, fixture.owner, "one:1")
        else {
            throw Unexpected("not held")
        }
        #expect(abs(first / 1_000 - time.milliseconds) < 10_000)
        let floor = first + 1_000_000_000_000
        let request = StoreRequest.acquireLease(owner: fixture.owner, address: "one:1", leaseMs: 60_000, above: floor)
        guard case .held(let second, let later, _, _) = try await fixture.store.lease(request) else {
            throw Unexpected("not held")
        }
        #expect(second == floor + 1)
        #expect(later[0].incarnation != shards[0].incarnation)
        #expect(later[0].clusterSecret?.count == 32 && later[0].clusterSecret == shards[0].clusterSecret)
        // Both epochs are reset to older values: the clock alone is enough.
        try fixture.psql("UPDATE shards SET epoch = 3")
        guard case .held(let third, _, _, _) = try await take(fixture.store, fixture.owner, "one:1") else {
            throw Unexpected("not held")
        }
        #expect(third > first)
    }

    @Test func `a lease that is handed over goes to the named scheduler`() async throws {
        let fixture = try Fixture()
        let (second, third) = (fixture.otherStore(), fixture.otherStore())
        let bystander = UniqueID(high: 0xb15_7a4de_0000_4000, low: 0x8000_0000_0000_0003)
        guard case .held(let epoch, _, _, _) = try await take(fixture.store, fixture.owner, "one:1") else {
            throw Unexpected("not held")
        }
        let word = StoreRequest.acquireLease(owner: other, address: "two:2", leaseMs: 60_000, usableWorkers: 3)
        // A standby's request counts for 2 s, which may pass on a busy machine.
        var named: UniqueID?
        while named == nil {
            guard case .heldByOther = try await second.lease(word) else { throw Unexpected("held twice") }
            guard
                case .held(epoch, _, _, let standby) = try await fixture.store.lease(
                    .renewLease(owner: fixture.owner, epoch: epoch, leaseMs: 60_000)
                )
            else { throw Unexpected("not kept") }
            named = standby
        }
        #expect(named == other)
        let release = StoreRequest.releaseLease(owner: fixture.owner, epoch: epoch, standby: other)
        guard case .released = try await fixture.store.answer(to: release) else { throw Unexpected("not released") }
        guard case .heldByOther = try await take(third, bystander, "three:3") else { throw Unexpected("taken") }
        guard case .held = try await second.lease(word) else { throw Unexpected("not taken") }
        second.shutdown()
        third.shutdown()
    }

    @Test func `a renewal waits for a batch that has locked the rows`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let blocker = try Blocker(url: fixture.url, holding: "SELECT 1 FROM shards FOR UPDATE")
        async let result = fixture.store.lease(.renewLease(owner: fixture.owner, epoch: epoch, leaseMs: 60_000))
        _ = try await fixture.awaitSQL(
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE '%renew%'"
        )
        blocker.release()
        guard case .held = try await result else { throw Unexpected("not kept") }
    }
}
