import Accounts
import Core
import Foundation
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import Tracking
@testable import Web

@Suite("Clicks while the database is away")
struct ClickSpoolTests {
    struct Away: Error {}

    /// A message of somebody's, and the link in it.
    private func message(_ portal: PortalFixture, _ ana: TestMember) async throws -> MessageID {
        let workspace = ana.principal.workspace
        let found = try await portal.services.directory.workspace(workspace)
        let id = MessageID.make(
            at: Date(timeIntervalSinceNow: -600), routingKey: try #require(found).routingKey, position: 1, random: 1)
        let (contact, send) = (UUID(), UUID())
        _ = try await portal.services.database.write(workspace) { tx in
            try await tx.run(
                "test.message",
                """
                INSERT INTO marketing_messages (workspace_id, id, send_id, contact_id, state, created_at, sent_at)
                VALUES (\(workspace), \(id), \(send), \(contact), 'sent', now(), now())
                """)
        }
        return id
    }

    private func clicks(_ portal: PortalFixture, _ ana: TestMember) async throws -> [Int] {
        let workspace = ana.principal.workspace
        return try await portal.services.database.read(workspace) { tx in
            try await tx.values(
                Int.self, "test.clicks",
                """
                SELECT count(*) FROM marketing_email_events WHERE workspace_id = \(workspace) AND kind = 'click'
                UNION ALL SELECT sum(click_count)::bigint FROM marketing_messages WHERE workspace_id = \(workspace)
                """)
        }
    }

    private func routes(_ portal: PortalFixture, _ events: GroupCommit<EmailEvent>, _ spool: ClickSpool) throws -> Route
    {
        var table = RouteTable()
        TrackingRoutes(
            services: portal.services, links: TrackingSlice.links(portal.services), events: events,
            bursts: ClickBursts(), spool: spool
        ).add(to: &table)
        return try #require(table.routes.first { $0.path.contains("/track/click/") })
    }

    private func query(_ portal: PortalFixture, _ message: MessageID, _ url: String) -> String {
        var made: [UInt8] = []
        TrackingSlice.links(portal.services).appendClick(
            of: TrackingLinks.Target(number: 0, url: url), in: MessageIdentity(message), to: &made)
        return String(String(decoding: made, as: UTF8.self).split(separator: "?")[1])
    }

    private func keeper(_ portal: PortalFixture, _ spool: ClickSpool) -> ClickSpoolKeeper {
        let slice = portal.assembly.tracking
        return ClickSpoolKeeper(
            spool: spool, services: portal.services, store: slice.spool.store, interval: .seconds(1))
    }

    @Test("Whoever clicks is led on, and the click is counted when the database is back, once")
    func ledOn() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let message = try await message(portal, ana)
            let spool = ClickSpool(directory: "\(portal.varDirectory)/kept", ids: portal.services.ids)
            let events = GroupCommit<EmailEvent> { _ in throw Away() }
            let route = try routes(portal, events, spool)
            let target = "https://shop.example/sale?a=1&b=2"
            let head = try #require(
                RequestHead(
                    ByteBuffer(
                        string: "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0 (X11) Firefox/130\r\n"
                            + "Accept-Language: en\r\n\r\n")))
            let request = DirectRequest(
                parameter: message.description, queryText: query(portal, message, target), head: head,
                clientAddress: "192.0.2.7")
            let direct = try #require(route.direct)
            let answers: [WebResponse] = try await withThrowingTaskGroup(of: WebResponse?.self) { group in
                group.addTask {
                    try await events.run()
                    return nil
                }
                for _ in 0..<3 {
                    group.addTask {
                        try await withCheckedThrowingContinuation { continuation in
                            guard direct(request, { continuation.resume(with: $0) }) else {
                                return continuation.resume(throwing: Away())
                            }
                        }
                    }
                }
                var answers: [WebResponse] = []
                while answers.count < 3, let answer = try await group.next() {
                    if let answer { answers.append(answer) }
                }
                group.cancelAll()
                return answers
            }
            #expect(answers.allSatisfy { $0.status == .found && $0.headers[.location] == target })
            #expect(try await clicks(portal, ana) == [0, 0])
            await keeper(portal, spool).round()
            #expect(try await clicks(portal, ana) == [3, 3])
            await keeper(portal, spool).round()
            #expect(try await clicks(portal, ana) == [3, 3])
            #expect(try FileManager.default.contentsOfDirectory(atPath: spool.directory).isEmpty)
        }
    }

    private func event(_ portal: PortalFixture, _ ana: TestMember, _ message: MessageID) -> EmailEvent {
        EmailEvent(
            id: portal.services.ids.next(), workspace: ana.principal.workspace,
            engagement: Engagement(message: message, kind: .click, occurredAt: Date(), isHuman: true), linkNumber: 0,
            url: "https://shop.example/",
            engagementClass: EngagementClass(kind: .human, reason: "no_sign_of_a_machine"),
            userAgent: "Mozilla/5.0", network: "192.0.2.0/24")
    }

    @Test("A click that was stored although nobody heard of it is not counted again, and the others are")
    func storedBefore() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let message = try await message(portal, ana)
            let spool = ClickSpool(directory: "\(portal.varDirectory)/kept", ids: portal.services.ids)
            let keeper = keeper(portal, spool)
            let events = (0..<3).map { _ in event(portal, ana, message) }
            try await keeper.store.store([events[1]])
            for event in events { _ = try spool.keep(event) }
            await keeper.round()
            #expect(try await clicks(portal, ana) == [3, 3])
        }
    }

    @Test("The file of a process that ended is found, one of a living process is left alone, and a full one refuses")
    func files() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let message = try await message(portal, ana)
            let directory = "\(portal.varDirectory)/kept"
            var ended: ClickSpool? = ClickSpool(directory: directory, ids: portal.services.ids)
            let living = ClickSpool(directory: directory, ids: portal.services.ids)
            #expect(try ended?.keep(event(portal, ana, message)) == true)
            #expect(try ended?.keep(event(portal, ana, message)) == false)
            #expect(try living.keep(event(portal, ana, message)))
            ended = nil
            let other = ClickSpool(directory: directory, ids: portal.services.ids)
            #expect(try await other.empty { _ in } == 2)
            #expect(try await living.empty { _ in } == 1)
            await #expect(throws: Away.self) {
                _ = try living.keep(event(portal, ana, message))
                _ = try await living.empty { _ in throw Away() }
            }
            #expect(try await other.empty { _ in } == 1)
            let small = ClickSpool(directory: directory, ids: portal.services.ids, limit: 100)
            #expect(throws: ClickSpool.Refused.self) { try small.keep(event(portal, ana, message)) }
        }
    }
}
