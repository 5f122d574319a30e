import Core
import FoundationEssentials
import Postgres

/// A campaign to everybody in a bench's workspace.
struct BenchCampaign: Sendable {
    let account: BenchAccount
    let sinkPort: Int
    let smtpConnections: Int
    /// Messages per second at most; nil for as fast as it goes.
    var ratePerSecond: Int?

    /// A workspace with people, made by a portal that is not the one measured.
    static func prepare(_ stage: BenchStage, people: Int) async throws -> BenchAccount {
        let portal = try await stage.startPortal()
        let account: BenchAccount
        do {
            account = try await portal.register("send")
        } catch {
            await portal.process.stop()
            throw error
        }
        await portal.process.stop()
        let workspace = account.workspace
        _ = try await stage.database.session { session in
            try await session.run(
                "bench.send.address",
                """
                UPDATE marketing_workspaces SET postal_address = 'Example Ltd, 1 High Street, London'
                WHERE id = \(workspace)
                """)
        }
        try await PeopleSeed(database: stage.database, workspace: workspace)
            .make(people, list: IdentifierSource().next())
        return account
    }

    /// The sender's settings, the postal address and a draft; answers its id.
    func make(_ portal: BenchPortal) async throws -> String {
        var server: [String: JSONValue] = [
            "host": .string("127.0.0.1"), "port": .int(sinkPort), "encryption": .string("none"),
            "connections": .int(smtpConnections),
        ]
        if let ratePerSecond { server["ratePerSecond"] = .int(ratePerSecond) }
        _ = try await portal.client.json(
            "PUT", "/v1/settings/email",
            .object([
                "provider": .string("smtp"), "fromName": .string("Example Shop"),
                "fromEmail": .string("shop@example.com"),
                "replyTo": .string("help@example.com"), "smtp": .object(server),
            ]), token: account.token)
        _ = try await portal.client.json(
            "PATCH", "/v1/account", .object(["postalAddress": .string("1 High Street, Oldtown")]), token: account.token)
        let lists = try await portal.client.json("GET", "/v1/lists", token: account.token)
        guard case .array(let data)? = lists["data"], let list = data.first?["id"] else {
            throw BenchError("The workspace has no list.")
        }
        let letter: JSONValue = .object([
            "type": .string("email"), "subject": .string("{{ contact.first_name | default: 'Hello' }}, autumn is here"),
            "previewText": .string("Five things for {{ contact.properties.city }}"), "html": .string(BenchLetter.html),
        ])
        let campaign = try await portal.client.json(
            "POST", "/v1/campaigns",
            .object([
                "name": .string("Autumn news"), "type": .string("one_time"),
                "audience": .object(["listIds": .array([list]), "excludeListIds": .array([])]),
                "steps": .array([letter]),
            ]), token: account.token)
        guard let id = campaign["id"]?.stringValue else { throw BenchError("Making a campaign answered no id.") }
        return id
    }

    /// `send`, `pause` or `resume`.
    func ask(_ verb: String, _ campaign: String, _ portal: BenchPortal) async throws {
        _ = try await portal.client.json(
            "POST", "/v1/campaigns/\(campaign)/\(verb)", .object([:]), token: account.token)
    }

    func status(_ campaign: String, _ portal: BenchPortal) async throws -> String {
        let state = try await portal.client.json("GET", "/v1/campaigns/\(campaign)", token: account.token)
        return state["status"]?.stringValue ?? ""
    }

    func waitForEnd(_ campaign: String, _ portal: BenchPortal) async throws {
        let start = MonotonicTime.now
        while MonotonicTime.seconds(since: start) < 600 {
            let status = try await status(campaign, portal)
            if status == "sent" { return }
            guard status == "sending" else { throw BenchError("The campaign is \(status).") }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw BenchError("The campaign does not end.")
    }

    /// How many messages are in which state.
    func states(_ stage: BenchStage) async throws -> [String: Int] {
        let rows = try await stage.database.read(account.workspace, timeout: .seconds(60)) { tx in
            try await tx.rows(
                as: (String, Int).self, "bench.send.states",
                "SELECT state, count(*) FROM marketing_messages WHERE workspace_id = \(account.workspace) GROUP BY state"
            )
        }
        return Dictionary(rows.map { ($0.0, $0.1) }, uniquingKeysWith: { $0 + $1 })
    }
}
