import CarillonCore
import TestSupport
import Testing

@testable import CarillonPostgres

/// The reaction to each database error.
@Suite(.timeLimit(.minutes(2))) struct RemedyTests {
    /// All classes of appendix A of the documentation, and an unknown class, each with a code that has no separate rule.
    private static let classes: [(code: String, remedy: Remedy)] = [
        ("00000", .notNow), ("01000", .notNow), ("02000", .notNow), ("03000", .notNow), ("08006", .settle),
        ("09000", .notNow), ("0B000", .notNow), ("0F000", .notNow), ("0L000", .notNow), ("0P000", .notNow),
        ("0Z000", .notNow), ("20000", .notNow), ("21000", .notNow), ("22003", .refuse), ("22012", .refuse),
        ("22021", .refuse), ("22P02", .refuse), ("23000", .refuseChange), ("23502", .refuseChange),
        ("23503", .refuseChange), ("23505", .refuseChange), ("23P01", .refuseChange), ("24000", .notNow),
        ("25001", .notNow), ("25P02", .notNow), ("25P03", .notNow), ("26501", .notNow), ("27000", .refuseChange),
        ("28000", .notNow), ("2B000", .notNow), ("2D000", .notNow), ("2F000", .notNow), ("34000", .notNow),
        ("38000", .notNow), ("39000", .notNow), ("3B000", .notNow), ("3D000", .notNow), ("3F000", .notNow),
        ("40001", .repeatSoon), ("40002", .repeatSoon), ("40003", .repeatSoon), ("40P01", .repeatSoon),
        ("42501", .notNow), ("42601", .notNow), ("42703", .notNow), ("42883", .notNow), ("44000", .refuseChange),
        ("53100", .notNow), ("53200", .notNow), ("53300", .notNow), ("54000", .refuseChange), ("54001", .refuseChange),
        ("55000", .notNow), ("55006", .notNow), ("57014", .notNow), ("57P01", .settle), ("57P02", .settle),
        ("57P03", .settle), ("57P04", .settle), ("58000", .notNow), ("58030", .notNow), ("58P01", .notNow),
        ("72000", .notNow), ("F0000", .notNow), ("HV000", .notNow), ("P0000", .refuseChange), ("P0001", .refuseChange),
        ("XX000", .notNow), ("XX001", .notNow), ("XX002", .notNow), ("ZZ999", .notNow),
        // Codes with a separate rule.
        ("CA001", .stepDown), ("CA002", .alreadyCommitted), ("55P03", .waitForLock), ("42P01", .makePartitions),
        ("25006", .reconnect), ("26000", .reconnect), ("0A000", .reconnect), ("42P05", .reconnect),
        ("23514", .makePartitions),
    ]

    @Test(arguments: classes) func `each class of errors has its remedy`(_ code: String, _ remedy: Remedy) {
        #expect(DatabaseError(.statement(code), "").remedy == remedy)
    }

    /// Only a data error may refuse a row: class 22 and Carillon's own constraints.
    @Test func `no other class of errors refuses a row`() {
        for first in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" {
            for second in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" where "\(first)\(second)" != "22" {
                let remedy = DatabaseError(.statement("\(first)\(second)000"), "").remedy
                #expect(remedy != .refuse, "\(first)\(second)")
            }
        }
    }

    @Test(arguments: [
        ("jobs_name_living", true), ("jobs_pkey", true), ("idempotency_keys_pkey", true),
        ("job_executions_20261120_pkey", true), ("execution_attempts_20261120_pkey", true),
        ("job_executions_status_check", true), ("jobs_priority_check", false), ("job_executions_2026112_pkey", false),
        ("job_executions_20261120_check", false), ("fk_jobs", false), ("", false),
    ])
    func `a constraint refuses a row only if the migrations define it`(_ name: String, _ isOurs: Bool) {
        for code in ["23505", "23514", "23503"] {
            let error = DatabaseError(.statement(code), "", constraint: name)
            #expect(error.remedy == (isOurs ? .refuse : .refuseChange), "\(code)")
        }
    }

    @Test func `the known constraints are those of the schema`() throws {
        let fixture = try Fixture()
        let names = try fixture.psql(
            """
            SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'u', 'p', 'x')
            UNION SELECT indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = indexrelid
            WHERE indisunique AND c.relnamespace = 'public'::regnamespace
            """
        ).split(separator: "\n").filter { !$0.hasPrefix("schema_migrations") }
        #expect(names.count > 20)
        for name in names { #expect(OwnConstraints.contain(String(name)), "\(name)") }
        // Each listed constraint exists.
        for name in OwnConstraints.names { #expect(names.contains { $0 == name }, "\(name)") }
    }
}
