import Accounts
import Core
import FoundationEssentials
import Postgres

/// How long a workspace keeps things, and whether a legal hold stops all removing.
struct RetentionSettings: Sendable, Equatable {
    /// Days by the key of a rule, where they differ from the standard.
    var days: [String: Int] = [:]
    /// Why something is kept longer than the standard.
    var reason: String = ""
    var holdReason: String?
    var version: Int = 0

    static let exportRule = "exports"
    var exportDays: Int { days[Self.exportRule] ?? PersonExports.longestDays }

    func days(_ rule: RetentionRule) -> Int { days[rule.key] ?? rule.standard }

    static func load(_ workspace: WorkspaceID, in database: Database) async throws -> RetentionSettings {
        try await database.read(workspace) { try await load(workspace, in: $0) }
    }

    static func load(_ workspace: WorkspaceID, in session: some PostgresSession) async throws -> RetentionSettings {
        let row: (JSONValue, String?, Int)? = try await session.rows(
            as: (JSONValue, String?, Int).self, "contacts.retention.load",
            "SELECT retention, hold_reason, version FROM marketing_privacy_settings WHERE workspace_id = \(workspace)"
        ).first
        guard let row else { return RetentionSettings() }
        var settings = RetentionSettings(holdReason: row.1, version: row.2)
        if case .object(let days)? = row.0["days"] {
            for (key, value) in days {
                if case .int(let number) = value { settings.days[key] = number }
            }
        }
        settings.reason = row.0["reason"]?.stringValue ?? ""
        return settings
    }

    var json: JSONValue {
        .object(["days": .object(days.mapValues { .int($0) }), "reason": .string(reason)])
    }
}

/// Removing what is older than it is kept, every night and on the page that shows what would go.
struct RetentionActions: Sendable {
    let services: AppServices
    let rules: [RetentionRule]

    /// One rule with what it would remove now.
    struct Line: Sendable {
        let rule: RetentionRule
        let days: Int
        let due: Int
    }

    private static let batch: Int = 10_000

    func limit(_ rule: RetentionRule, _ settings: RetentionSettings) -> Date {
        services.clock.now.addingTimeInterval(-Double(settings.days(rule)) * 86_400)
    }

    /// What the next purge would remove.
    func preview(_ scope: WorkspaceScope) async throws -> (RetentionSettings, [Line]) {
        try await services.database.read(scope.workspace, timeout: .seconds(20)) { transaction in
            let settings = try await RetentionSettings.load(scope.workspace, in: transaction)
            var lines: [Line] = []
            for rule in rules {
                let due: Int = try await transaction.value(
                    Int.self, "contacts.retention.count", rule.count(scope.workspace, limit(rule, settings)))
                lines.append(Line(rule: rule, days: settings.days(rule), due: due))
            }
            return (settings, lines)
        }
    }

    /// Removes it, a few thousand rows a transaction; answers how many rows of each kind. Nothing while a hold is set.
    @discardableResult
    func purge(_ workspace: WorkspaceID) async throws -> [String: Int] {
        let settings = try await RetentionSettings.load(workspace, in: services.workerDatabase)
        guard settings.holdReason == nil else { return [:] }
        let started: Date = services.clock.now
        var counts: [String: Int] = [:]
        for rule in rules {
            let before: Date = limit(rule, settings)
            let due: Int = try await services.workerDatabase.read(workspace, timeout: .seconds(60)) { transaction in
                try await transaction.value(Int.self, "contacts.retention.count", rule.count(workspace, before))
            }
            guard due > 0 else { continue }
            counts[rule.key] = due
            while try await step(rule, workspace, before) > 0 { try Task.checkCancellation() }
        }
        let id: Identifier<PurgeRunTag> = services.ids.next()
        let result = JSONValue.object(counts.mapValues { .int($0) })
        try await services.workerDatabase.write(workspace) { transaction in
            try await transaction.run(
                "contacts.retention.done",
                """
                INSERT INTO marketing_purge_runs (workspace_id, id, started_at, finished_at, counts)
                VALUES (\(workspace), \(id), \(started), \(services.clock.now), \(result))
                """)
            try await transaction.run(
                "contacts.retention.forget",
                """
                DELETE FROM marketing_purge_runs
                WHERE workspace_id = \(workspace) AND started_at < \(started.addingTimeInterval(-365 * 86_400))
                """)
        }
        return counts
    }

    private func step(_ rule: RetentionRule, _ workspace: WorkspaceID, _ before: Date) async throws -> Int {
        try await services.workerDatabase.write(workspace, timeout: .seconds(60)) { transaction in
            try await transaction.run("contacts.retention.purge", rule.purge(workspace, before, Self.batch))
        }
    }

    /// The last purges, newest first.
    func runs(_ scope: WorkspaceScope) async throws -> [(Date, JSONValue)] {
        try await services.database.read(scope.workspace) { transaction in
            try await transaction.rows(
                as: (Date, JSONValue).self, "contacts.retention.runs",
                """
                SELECT started_at, counts FROM marketing_purge_runs
                WHERE workspace_id = \(scope.workspace) ORDER BY id DESC LIMIT 14
                """)
        }
    }

    /// - Returns: false when somebody else saved meanwhile.
    func save(_ settings: RetentionSettings, _ scope: WorkspaceScope) async throws -> Bool {
        var errors = ValidationErrors()
        for rule in rules {
            let days: Int = settings.days(rule)
            if days < rule.least || days > 36_500 {
                errors.add("days-\(rule.key)", "Give a number of days from \(rule.least) to 36,500.")
            }
        }
        if !(1...PersonExports.longestDays).contains(settings.exportDays) {
            errors.add("days-exports", "Give a number of days from 1 to \(PersonExports.longestDays).")
        }
        let isLonger: Bool = rules.contains { settings.days($0) > $0.standard }
        if isLonger, settings.reason.trimmed.isEmpty {
            errors.add("reason", "Say why something is kept longer than usual.")
        }
        if settings.reason.count > 500 { errors.add("reason", "A reason has at most 500 characters.") }
        if let hold = settings.holdReason, hold.trimmed.isEmpty || hold.count > 500 {
            errors.add("holdReason", "Say why nothing may be removed, in up to 500 characters.")
        }
        try errors.throwIfAny()
        return try await store(settings, scope)
    }

    private func store(_ settings: RetentionSettings, _ scope: WorkspaceScope) async throws -> Bool {
        try await services.database.write(scope.workspace) { transaction in
            let before = try await RetentionSettings.load(scope.workspace, in: transaction)
            guard before.version == settings.version else { return false }
            let held: Date? = settings.holdReason == nil ? nil : services.clock.now
            let changed: Int = try await transaction.run(
                "contacts.retention.save",
                """
                INSERT INTO marketing_privacy_settings AS p
                    (workspace_id, retention, hold_reason, held_at, version, updated_at)
                VALUES (\(scope.workspace), \(settings.json), \(settings.holdReason), \(held), 1, \(services.clock.now))
                ON CONFLICT (workspace_id) DO UPDATE
                SET retention = excluded.retention, hold_reason = excluded.hold_reason,
                    held_at = CASE WHEN excluded.hold_reason IS NULL THEN NULL ELSE coalesce(p.held_at, excluded.held_at) END,
                    version = p.version + 1, updated_at = excluded.updated_at
                WHERE p.version = \(settings.version)
                """)
            guard changed == 1 else { return false }
            try await services.audit.record(
                "changed how long things are kept", href: "/settings/privacy",
                before: Self.summary(before), after: Self.summary(settings), by: scope, in: transaction)
            return true
        }
    }

    private static func summary(_ settings: RetentionSettings) -> [String: JSONValue] {
        var summary: [String: JSONValue] = settings.days.mapValues { .int($0) }
        if !settings.reason.isEmpty { summary["reason"] = .string(settings.reason) }
        if let hold = settings.holdReason { summary["hold"] = .string(hold) }
        return summary
    }
}

enum PurgeRunTag {}
