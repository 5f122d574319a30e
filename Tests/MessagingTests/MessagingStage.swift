import Accounts
import Core
import FoundationEssentials
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Messaging

/// A workspace with people on a list, and dispatchers that hand over to a carrier of the test.
struct MessagingStage {
    let portal: PortalFixture
    let member: TestMember
    let list: ContactListID

    var services: AppServices { portal.services }
    var workspace: WorkspaceID { member.principal.workspace }

    /// - Parameter people: how many people are on the list; their addresses are `p0@example.com` and so on.
    static func with(
        people: Int, isolation: isolated (any Actor)? = #isolation, _ body: (MessagingStage) async throws -> Void
    ) async throws {
        try await PortalFixture.with { portal in
            let member = try await portal.register("Ana")
            let stage = MessagingStage(portal: portal, member: member, list: portal.services.ids.next())
            try await stage.addList(stage.list)
            try await stage.add(people: people)
            try await body(stage)
            // Whatever a test did: rules about what people were sent are told the same as the ledger.
            #expect(try await stage.sentTimesThatDiffer() == 0)
        }
    }

    private func sentTimesThatDiffer() async throws -> Int {
        try await services.database.read(workspace) { tx in
            try await tx.value(
                Int.self, "test.sentTimes",
                """
                SELECT count(*) FROM marketing_sent_times t
                FULL JOIN (SELECT * FROM marketing_messages WHERE sent_at IS NOT NULL) m
                    ON m.id = t.message_id AND m.contact_id = t.contact_id AND m.sent_at = t.occurred_at
                WHERE m.id IS NULL OR t.message_id IS NULL
                """)
        }
    }

    func addList(_ id: ContactListID) async throws {
        _ = try await services.database.write(workspace) { tx in
            try await tx.run(
                "test.list",
                """
                INSERT INTO marketing_lists (workspace_id, id, name, created_at, updated_at)
                VALUES (\(workspace), \(id), \(id.description), now(), now())
                """)
        }
    }

    @discardableResult
    func add(people count: Int, prefix: String = "p", to list: ContactListID? = nil) async throws -> [ContactID] {
        let ids: [ContactID] = (0..<count).map { _ in services.ids.next() }
        let emails: [String] = (0..<count).map { "\(prefix)\($0)@example.com" }
        let names: [String] = (0..<count).map { "Person \($0)" }
        try await services.database.write(workspace) { tx in
            try await tx.run(
                "test.people",
                """
                INSERT INTO marketing_contacts
                    (workspace_id, id, email, email_key, first_name, created_at, updated_at)
                SELECT \(workspace), id, email, email, name, now(), now()
                FROM unnest(\(ids), \(emails), \(names)) AS p (id, email, name)
                """)
            try await tx.run(
                "test.members",
                """
                INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                SELECT \(workspace), \(list ?? self.list), id, now() FROM unnest(\(ids)) AS p (id)
                """)
        }
        return ids
    }

    func run(_ sql: SQL) async throws {
        try await services.database.write(workspace) { tx in _ = try await tx.run("test.run", sql) }
    }

    /// Runs a statement as the owner of the tables.
    func runAsOwner(_ sql: SQL) async throws {
        try await services.database.write(workspace) { tx in
            try await tx.run("test.owner", "SET LOCAL ROLE NONE")
            try await tx.run("test.change", sql)
        }
    }

    func content(
        _ html: String = "<p>Hello {{ contact.first_name }}, <a href=\"https://example.com/a?b=1\">look</a></p>"
    )
        throws -> SendContent
    {
        let frame = EmailFrame(workspaceName: "Acme", postalAddress: "1 Main Street")
        let email = try EmailPreparation.prepare(
            EmailDraft(subject: "News for {{ contact.first_name }}", format: .rich, body: html), frame: frame,
            footers: EmailFooters { try PortalFixture.library() })
        let identity = SendIdentity(fromName: "Acme", fromEmail: "news@acme.example", listID: "all.acme.example")
        return SendContent(email: email, identity: identity)
    }

    /// Begins a send and writes its audience.
    func launch(
        audience: SendAudience? = nil, chunk: Int = 1000, batchSize: Int = 10, html: String? = nil
    ) async throws -> JournalRecord.Run {
        let content = try html.map { try self.content($0) } ?? self.content()
        let send = try await services.database.write(workspace) { tx in
            try await SendActions(services: services).launch(
                campaign: nil, content: content, audience: audience ?? SendAudience(listIds: [list]),
                workspace: workspace,
                in: tx)
        }
        let run = JournalRecord.Run(workspace: workspace, send: send)
        try await SendSnapshot(services: services, firstChunk: chunk, chunk: chunk, batchSize: batchSize).write(run)
        return run
    }

    /// A fiftieth of what is asked for. Without any wait the one who looks whether somebody pauses would keep the database
    /// of all tests busy.
    private static let briefly = Pause { await Pause.real.wait(seconds: $0 / 50) }

    func dispatcher(
        _ carrier: any MessageCarrier, journals: String? = nil, stopwatch: Stopwatch = .running
    ) -> SendDispatcher {
        let directory: String = journals ?? "\(services.varDirectory)/handover"
        let recovery = SendRecovery(
            database: services.database, journals: directory,
            rules: SettlementRules(clock: services.clock, randomness: services.randomness),
            bounces: BounceFollowUp(services: services), ids: services.ids, clock: services.clock,
            logger: services.logger)
        return SendDispatcher(
            services: services, senders: SenderDirectory(services: services), links: LinkFactory(services: services),
            journals: HandoverJournals(directory: directory, ids: services.ids), carrier: { _, _ in carrier },
            recovery: recovery, running: RunningSends(), pause: Self.briefly, stopwatch: stopwatch,
            // Time is told by rounds of waiting, which are short here.
            timeLimit: 1_000_000)
    }

    func summary(_ run: JournalRecord.Run) async throws -> SendSummary {
        let found = try await services.database.read(workspace) { tx in
            try await SendQueries(workspace: workspace, tx: tx).summary(run.send)
        }
        guard let found else { throw TestFailure("no send") }
        return found
    }

    /// How many messages are in which state, for which reason.
    func tally(_ run: JournalRecord.Run) async throws -> [String: Int] {
        let rows = try await services.database.read(workspace) { tx in
            try await tx.rows(
                as: (String, String?, Int).self, "test.tally",
                """
                SELECT state, reason, count(*) FROM marketing_messages
                WHERE workspace_id = \(workspace) AND send_id = \(run.send) GROUP BY state, reason
                """)
        }
        var tally: [String: Int] = [:]
        for (state, reason, count) in rows { tally[[state, reason].compactMap { $0 }.joined(separator: ":")] = count }
        return tally
    }
}

/// Takes messages like a mail server, as the test decides.
final class FakeCarrier: MessageCarrier {
    let lanes: Int
    let isExternal = true
    private let decide: @Sendable (_ recipient: String, _ count: Int) -> HandoverOutcome
    private let log = Mutex<[(id: MessageID, recipient: String, text: String)]>([])
    private let attempts = Mutex(0)

    init(
        lanes: Int = 3, _ decide: @escaping @Sendable (String, Int) -> HandoverOutcome = { _, _ in .accepted("250 OK") }
    ) {
        self.lanes = lanes
        self.decide = decide
    }

    var accepted: [(id: MessageID, recipient: String, text: String)] { log.withLock { $0 } }
    var recipients: [String] { accepted.map(\.recipient) }

    func deliver(_ messages: OutgoingMessages, watch: any HandoverWatch) async -> [HandoverOutcome] {
        var outcomes = [HandoverOutcome](repeating: .notStarted, count: messages.count)
        for (index, envelope) in messages.batch.envelopes.enumerated() {
            guard watch.mayBegin(messages.ids[index]) else { break }
            let count: Int = attempts.withLock { count in
                count += 1
                return count
            }
            let outcome: HandoverOutcome = decide(envelope.recipient, count)
            if case .accepted = outcome {
                let text = String(decoding: messages.batch.bytes[envelope.range], as: UTF8.self)
                log.withLock { $0.append((messages.ids[index], envelope.recipient, text)) }
            }
            outcomes[index] = outcome
            watch.ended(messages.ids[index], outcome)
        }
        return outcomes
    }

    func store(_: [MessageID], workspace _: WorkspaceID, send _: SendID?, in _: PostgresTransaction) async throws {}

    func forget(_: [MessageID]) {}
}
