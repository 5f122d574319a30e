import Core
import FoundationEssentials
import Postgres
import PostgresTesting
import TestSupport
import Testing
import Web

@testable import Accounts

@Suite("The chain over the audit log")
struct AuditChainTests {
    /// A workspace with a few chained entries.
    private struct Stage {
        let portal: PortalFixture
        let ana: TestMember

        var chain: AuditChain { AuditChain(services: portal.services) }
        var workspace: WorkspaceID { ana.scope.workspace }

        static func with(entries: Int = 5, _ body: (Stage) async throws -> Void) async throws {
            try await PortalFixture.with { portal in
                let stage = Stage(portal: portal, ana: try await portal.register("Ana"))
                try await stage.chain.chain(stage.workspace)
                for number in 0..<entries { try await stage.record("deed \(number)") }
                try await stage.chain.chainWaiting()
                try await body(stage)
            }
        }

        func record(_ subject: String, href: String? = nil) async throws {
            try await portal.services.database.write(workspace) { transaction in
                try await portal.services.audit.record(
                    "did", subject: subject, href: href, details: ["note": .string("about \(subject)")], by: ana.scope,
                    in: transaction)
            }
        }

        /// What somebody does who has the database itself.
        func tamper(_ sql: SQL) async throws {
            try await TestDatabase.asOwner(of: portal.services.database) { session in
                _ = try await session.run("test.tamper", sql)
            }
        }

        func count(_ sql: SQL) async throws -> Int {
            try await portal.services.database.read(workspace) { transaction in
                try await transaction.value(Int.self, "test.count", sql)
            }
        }

        func faults() async throws -> AuditCheck.Faults {
            try await chain.chain(workspace)
            return try await chain.verify(workspace).faults
        }
    }

    @Test("Entries are chained without gaps, an untouched log is intact, and the page says when it was verified")
    func intact() async throws {
        try await Stage.with { stage in
            #expect(try await stage.faults().isEmpty)
            let entries = try await stage.count("SELECT count(*) FROM marketing_audit_log")
            #expect(entries >= 5)
            #expect(try await stage.count("SELECT max(position) FROM marketing_audit_chain") == entries)
            #expect(try await stage.count("SELECT count(*) FROM marketing_audit_waiting") == 0)
            let page = try await stage.ana.signIn().get("/settings/audit").text
            #expect(page.contains("Verified on"))
            #expect(!page.contains("The log has been changed from outside"))
        }
    }

    private static func assignment(_ part: String) -> SQL {
        switch part {
        case "action": "UPDATE marketing_audit_log SET action = 'did nothing'"
        case "subject": "UPDATE marketing_audit_log SET subject = 'another'"
        case "before": "UPDATE marketing_audit_log SET before = '{}'"
        case "actor_name": "UPDATE marketing_audit_log SET actor_name = 'Bo'"
        case "occurred_at": "UPDATE marketing_audit_log SET occurred_at = occurred_at - interval '1 second'"
        case "details": "UPDATE marketing_audit_log SET details = '{}'"
        case "network": "UPDATE marketing_audit_log SET network = 'here'"
        default: "UPDATE marketing_audit_log SET subject = 'an erased person', href = NULL, details = '{}'"
        }
    }

    @Test(
        "A changed entry is found, whatever part of it was changed",
        arguments: [
            "action", "subject", "before", "actor_name", "occurred_at", "details", "network", "erased",
        ])
    func changed(part: String) async throws {
        try await Stage.with { stage in
            #expect(try await stage.faults().isEmpty)
            try await stage.tamper(Self.assignment(part) + " WHERE subject = 'deed 2'")
            let faults = try await stage.faults()
            #expect(faults.changed == 1)
            #expect(faults.removed == 0 && faults.added == 0 && faults.unlinked == 0)
            let text: String = try #require(
                try await stage.ana.signIn().get("/settings/audit").page().all(".flash-danger").first?.readableText)
            #expect(text.contains("The log has been changed from outside since"))
            #expect(text.contains("1 entry was changed."))
            #expect(try await stage.chain.lastChecks().map(\.isBroken) == [true])
        }
    }

    @Test("An entry that was removed from the middle or from the end is found, with its link or without")
    func removed() async throws {
        for subject in ["deed 2", "deed 4"] {
            for withLink in [false, true] {
                try await Stage.with { stage in
                    if withLink {
                        try await stage.tamper(
                            """
                            DELETE FROM marketing_audit_chain WHERE entry_id IN (
                                SELECT id FROM marketing_audit_log WHERE subject = \(subject))
                            """)
                    }
                    try await stage.tamper("DELETE FROM marketing_audit_log WHERE subject = \(subject)")
                    let faults = try await stage.faults()
                    #expect(faults.removed + faults.unlinked == 1, "\(subject) \(withLink) \(faults)")
                }
            }
        }
    }

    @Test("An entry that came in past the portal is found, and one that went before it was chained")
    func strangers() async throws {
        try await Stage.with { stage in
            try await stage.tamper("UPDATE marketing_audit_heads SET is_complete = true")
            try await stage.tamper(
                """
                INSERT INTO marketing_audit_log (workspace_id, id, actor_name, action, occurred_at)
                VALUES (\(stage.workspace), gen_random_uuid(), 'Ana', 'was told to', now())
                """)
            #expect(try await stage.faults().added == 1)
            try await stage.record("deed 9")
            try await stage.tamper("DELETE FROM marketing_audit_log WHERE subject = 'deed 9'")
            #expect(try await stage.faults().removed == 1)
        }
    }

    @Test("Writers at once, while links are added, all end up in one unbroken chain")
    func concurrent() async throws {
        try await Stage.with(entries: 0) { stage in
            try await stage.tamper("UPDATE marketing_audit_heads SET is_complete = true")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask { try await stage.record("deed \(number)") }
                    if number % 6 == 0 { group.addTask { try await stage.chain.chainWaiting() } }
                }
                try await group.waitForAll()
            }
            #expect(try await stage.faults().isEmpty)
            let entries = try await stage.count("SELECT count(*) FROM marketing_audit_log")
            #expect(try await stage.count("SELECT count(*) FROM marketing_audit_chain") == entries)
            #expect(try await stage.count("SELECT max(position) FROM marketing_audit_chain") == entries)
        }
    }

    @Test("A deed is written at once while somebody else's transaction still holds its own deed")
    func noWaiting() async throws {
        try await Stage.with(entries: 1) { stage in
            try await stage.portal.services.database.write(stage.workspace) { transaction in
                try await stage.portal.services.audit.record(
                    "did", subject: "slow", by: stage.ana.scope, in: transaction)
                try await stage.record("quick")
                try await stage.chain.chain(stage.workspace)
            }
            #expect(
                try await stage.count(
                    "SELECT count(*) FROM marketing_audit_chain c JOIN marketing_audit_log l ON l.id = c.entry_id WHERE l.subject = 'slow'"
                ) == 0)
            #expect(try await stage.faults().isEmpty)
            #expect(try await stage.count("SELECT count(*) FROM marketing_audit_waiting") == 0)
        }
    }

    @Test("Whoever is taken out of the log breaks no chain, and nothing of them can be guessed from it")
    func erased() async throws {
        try await Stage.with { stage in
            try await stage.record("Zoraya", href: "/contacts/1")
            try await stage.chain.chainWaiting()
            try await stage.record("zoraya", href: "/contacts/1/notes")
            let blanked: Int = try await stage.portal.services.database.write(stage.workspace) { transaction in
                try await transaction.value(
                    Int.self, "test.erase", "SELECT marketing_erase_audit_subject('/contacts/1', '{zoraya}')::bigint")
            }
            #expect(blanked == 2)
            #expect(try await stage.faults().isEmpty)
            #expect(try await stage.count("SELECT count(*) FROM marketing_audit_chain WHERE salt IS NULL") == 1)
            try await stage.tamper("UPDATE marketing_audit_log SET subject = 'Bo' WHERE subject = 'an erased person'")
            #expect(try await stage.faults().changed == 2)
        }
    }

    @Test("What the purge removes breaks no chain; what others remove of the last twelve months does")
    func purged() async throws {
        try await PortalFixture.with(clock: .fixed(.now.addingTimeInterval(-800 * 86_400))) { portal in
            let stage = Stage(portal: portal, ana: try await portal.register("Ana"))
            try await stage.record("old")
            #expect(try await stage.faults().isEmpty)
            let gone: Int = try await portal.services.database.write(stage.workspace) { transaction in
                try await transaction.value(
                    Int.self, "test.purge", "SELECT marketing_purge_audit_log(now() - interval '730 days')")
            }
            #expect(gone >= 1)
            #expect(try await stage.faults().isEmpty)
            try await stage.record("older")
            #expect(try await stage.faults().isEmpty)
        }
        try await Stage.with { stage in
            try await stage.tamper("DELETE FROM marketing_audit_log WHERE subject = 'deed 2'")
            try await stage.tamper("UPDATE marketing_audit_chain SET purged_at = now(), salt = NULL WHERE position = 3")
            #expect(try await stage.faults().removed >= 1)
        }
    }

    @Test("The app itself can neither change nor forge links")
    func rights() async throws {
        try await Stage.with { stage in
            for sql: SQL in [
                "UPDATE marketing_audit_chain SET salt = NULL", "DELETE FROM marketing_audit_chain",
                "UPDATE marketing_audit_heads SET position = 0", "DELETE FROM marketing_audit_waiting",
                "SELECT marketing_lock_audit_chain()",
            ] {
                let refusal = await #expect(throws: PostgresError.self) {
                    try await stage.portal.services.database.write(stage.workspace) { transaction in
                        try await transaction.run("test.tamper", sql)
                    }
                }
                guard case .server(let answer)? = refusal else {
                    Issue.record("\(String(describing: refusal))")
                    continue
                }
                #expect(answer.sqlState == "42501")
            }
        }
    }
}
