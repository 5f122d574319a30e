import Accounts
import Core
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Tracking

@Suite("Opens and clicks that are counted a moment later")
struct EmailEventBacklogTests {
    /// A workspace with messages that were sent.
    private struct Stage {
        let portal: PortalFixture
        let workspace: WorkspaceID
        let messages: [MessageID]

        init(_ portal: PortalFixture, _ name: String, messages count: UInt32 = 30) async throws {
            let member = try await portal.register(name)
            let workspace: WorkspaceID = member.principal.workspace
            let found = try #require(try await portal.services.directory.workspace(workspace))
            let messages: [MessageID] = (0..<count).map { place in
                .make(
                    at: Date(timeIntervalSinceNow: -600), routingKey: found.routingKey, position: place, random: 1)
            }
            let send = UUID()
            try await portal.services.database.write(workspace) { tx in
                try await tx.run(
                    "test.send",
                    """
                    INSERT INTO marketing_sends (workspace_id, id, state, content, audience, recipients, sent)
                    VALUES (\(workspace), \(send), 'sent', '{}', '{}', \(messages.count), \(messages.count))
                    """)
                try await tx.run(
                    "test.messages",
                    """
                    INSERT INTO marketing_messages (workspace_id, id, send_id, contact_id, state, created_at, sent_at)
                    SELECT \(workspace), id, \(send), gen_random_uuid(), 'sent', now(), now() FROM unnest(\(messages)) AS id
                    """)
            }
            self.portal = portal
            self.workspace = workspace
            self.messages = messages
        }

        func event(_ place: Int, _ kind: Engagement.Kind = .open) -> EmailEvent {
            event(of: messages[place % messages.count], kind)
        }

        func event(of message: MessageID, _ kind: Engagement.Kind = .open, at time: Date = Date()) -> EmailEvent {
            EmailEvent(
                id: portal.services.ids.next(), workspace: workspace,
                engagement: Engagement(message: message, kind: kind, occurredAt: time, isHuman: true),
                linkNumber: kind == .click ? 0 : nil, url: kind == .click ? "https://shop.example/" : nil,
                engagementClass: EngagementClass(kind: .human, reason: "no_sign_of_a_machine"),
                userAgent: "Mozilla/5.0", network: "192.0.2.0/24")
        }

        func opens(_ count: Int) -> [EmailEvent] { (0..<count).map { event($0) } }

        /// Events, opens on the messages, opened messages of the send, groups that wait.
        func counts() async throws -> [Int] {
            try await portal.services.database.read(workspace) { tx in
                try await tx.values(
                    Int.self, "test.counts",
                    """
                    SELECT count(*) FROM marketing_email_events WHERE workspace_id = \(workspace)
                    UNION ALL SELECT sum(open_count)::bigint FROM marketing_messages WHERE workspace_id = \(workspace)
                    UNION ALL SELECT sum(opened)::bigint FROM marketing_sends WHERE workspace_id = \(workspace)
                    UNION ALL SELECT count(*) FROM marketing_email_event_backlog WHERE workspace_id = \(workspace)
                    """)
            }
        }

        var store: EmailEventStore { portal.assembly.tracking.spool.store }

        func backlog() -> EmailEventBacklog {
            EmailEventBacklog(store: store, services: portal.services, sweep: .milliseconds(20))
        }
    }

    @Test("A few at a time are counted when they are answered")
    func few() async throws {
        try await PortalFixture.with { portal in
            let stage = try await Stage(portal, "Ana")
            try await stage.backlog().take(stage.opens(EmailEventBacklog.fewEvents))
            #expect(try await stage.counts() == [8, 8, 8, 0])
        }
    }

    @Test("Many at a time are stored as one row, and all that waits is counted together")
    func many() async throws {
        try await PortalFixture.with { portal in
            let stage = try await Stage(portal, "Ana")
            let backlog = stage.backlog()
            try await backlog.take(stage.opens(40))
            #expect(try await stage.counts() == [0, 0, 0, 1])
            // While some wait, others come behind them.
            try await backlog.take([stage.event(0, .click)])
            #expect(try await stage.counts() == [0, 0, 0, 2])
            await backlog.countAll()
            #expect(try await stage.counts() == [41, 40, 30, 0])
            try await backlog.take(stage.opens(1))
            #expect(try await stage.counts() == [42, 41, 30, 0])
        }
    }

    @Test("What an event was is kept to the letter")
    func kept() async throws {
        try await PortalFixture.with { portal in
            let stage = try await Stage(portal, "Ana")
            func rows() async throws -> [String] {
                try await portal.services.database.read(stage.workspace) { tx in
                    try await tx.values(
                        String.self, "test.rows",
                        """
                        SELECT concat_ws('|', e.message_id, kind, link_number, url, date_trunc('second', occurred_at), class,
                            class_reason, user_agent, network)
                        FROM marketing_email_events e JOIN marketing_messages m
                            ON m.workspace_id = e.workspace_id AND m.id = e.message_id AND m.contact_id = e.contact_id
                        WHERE e.workspace_id = \(stage.workspace) ORDER BY 1
                        """)
                }
            }
            let events = (0..<20).map { stage.event($0, $0 % 2 == 0 ? .open : .click) }
            try await stage.store.store(events)
            let direct = try await rows()
            #expect(direct.count == 20)
            _ = try await portal.services.database.write(stage.workspace) { tx in
                try await tx.run(
                    "test.forget", "DELETE FROM marketing_email_events WHERE workspace_id = \(stage.workspace)")
            }
            let backlog = stage.backlog()
            try await backlog.append(events, stage.workspace)
            await backlog.countAll()
            #expect(try await rows() == direct)
        }
    }

    @Test("Groups of a process that ended are counted by the next one that runs, each workspace's in its own")
    func leftBehind() async throws {
        try await PortalFixture.with { portal in
            let (ana, ben) = (try await Stage(portal, "Ana"), try await Stage(portal, "Ben"))
            try await ana.backlog().append(ana.opens(20), ana.workspace)
            try await ben.backlog().append(ben.opens(10), ben.workspace)
            let next = ana.backlog()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await next.run() }
                let deadline: ContinuousClock.Instant = .now + .seconds(20)
                while try await ana.counts()[3] + ben.counts()[3] > 0, .now < deadline {
                    try await Task.sleep(for: .milliseconds(10))
                }
                group.cancelAll()
            }
            #expect(try await ana.counts() == [20, 20, 20, 0])
            #expect(try await ben.counts() == [10, 10, 10, 0])
        }
    }

    @Test("What cannot be counted waits, and holds up no other workspace")
    func heldUp() async throws {
        try await PortalFixture.with { portal in
            let (ana, ben) = (try await Stage(portal, "Ana"), try await Stage(portal, "Ben"))
            let backlog = ana.backlog()
            // There is no month for it in the table of events.
            let old = ana.event(of: ana.messages[0], at: Date(timeIntervalSince1970: 1_000_000_000))
            try await backlog.append([old], ana.workspace)
            try await backlog.append(ben.opens(10), ben.workspace)
            await backlog.countAll()
            #expect(try await ana.counts() == [0, 0, 0, 1])
            #expect(try await ben.counts() == [10, 10, 10, 0])
            // Ben's are counted at once again, Ana's come behind what waits.
            try await backlog.take([ana.event(0), ben.event(0)])
            #expect(try await ana.counts() == [0, 0, 0, 2])
            #expect(try await ben.counts() == [11, 11, 10, 0])
        }
    }

    @Test("An event that was stored before is left out, and those beside it are counted")
    func storedBefore() async throws {
        try await PortalFixture.with { portal in
            let stage = try await Stage(portal, "Ana")
            let events = stage.opens(10)
            try await stage.store.store([events[3]])
            let backlog = stage.backlog()
            try await backlog.append(events, stage.workspace)
            await backlog.countAll()
            #expect(try await stage.counts() == [10, 10, 10, 0])
        }
    }

    @Test("However many wait, all are counted, and events of messages that do not exist are dropped")
    func moreThanATransaction() async throws {
        try await PortalFixture.with { portal in
            let stage = try await Stage(portal, "Ana")
            let backlog = stage.backlog()
            let unknown = MessageID.make(
                at: Date(timeIntervalSinceNow: -60), routingKey: stage.messages[0].routingKey, position: 9_999,
                random: 7)
            for _ in 0..<11 {
                try await backlog.append(stage.opens(1_500) + [stage.event(of: unknown)], stage.workspace)
            }
            await backlog.countAll()
            #expect(try await stage.counts() == [16_500, 16_500, 30, 0])
        }
    }
}
