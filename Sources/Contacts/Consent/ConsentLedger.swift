import Accounts
import Core
import FoundationEssentials
import Postgres

/// The append-only record of who agreed to what. Whatever changes a person's consent goes through it: it adds the decision
/// and, in the same statement, sets the flags of the person to what all decisions together say
/// (`email_opt_in`, `sms_opt_in`, `tracking_allowed`), and tells segments.
package struct ConsentLedger: Sendable {
    private let clock: WallClock
    private let ids: IdentifierSource

    package init(_ services: AppServices) {
        clock = services.clock
        ids = services.ids
    }

    /// Records one decision of one person.
    /// - Parameter onlyIfNew: passes over a decision that says what already stands, so that a sync that repeats itself adds
    ///   nothing.
    package func record(
        _ decision: ConsentDecision, of contact: ContactID, onlyIfNew: Bool = false, _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws {
        try await record([(contact, decision)], onlyIfNew: onlyIfNew, scope, in: transaction)
    }

    /// Records the same decision of many people.
    package func record(
        _ decision: ConsentDecision, of contacts: [ContactID], onlyIfNew: Bool = false, _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws {
        try await record(contacts.map { ($0, decision) }, onlyIfNew: onlyIfNew, scope, in: transaction)
    }

    /// Records a decision each of many people, with three statements in one round trip whatever their number. Somebody may
    /// be named several times.
    package func record(
        _ decisions: [(contact: ContactID, decision: ConsentDecision)], onlyIfNew: Bool = false,
        _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.run(statements(decisions, onlyIfNew: onlyIfNew, scope))
    }

    /// What `record` runs, for callers that send it along with statements of their own.
    package func statements(
        _ decisions: [(contact: ContactID, decision: ConsentDecision)], onlyIfNew: Bool = false,
        _ scope: WorkspaceScope
    ) -> [Statement] {
        guard !decisions.isEmpty else { return [] }
        let now: Date = clock.now
        let people: [ContactID] = Array(Set(decisions.map(\.contact)))
        return [
            lock(people, scope), insert(decisions, onlyIfNew: onlyIfNew, people, scope, now: now),
            AudienceChanges.record(people, fields: ["consent"], scope.workspace, at: now),
        ]
    }

    /// Two decisions of one person at the same time must see each other: else the flags could be the elder's.
    private func lock(_ people: [ContactID], _ scope: WorkspaceScope) -> Statement {
        Statement(
            "contacts.consent.lock",
            """
            SELECT FROM marketing_contacts WHERE workspace_id = \(scope.workspace) AND id = ANY (\(people))
            ORDER BY id FOR UPDATE
            """)
    }

    private func insert(
        _ decisions: [(contact: ContactID, decision: ConsentDecision)], onlyIfNew: Bool, _ people: [ContactID],
        _ scope: WorkspaceScope, now: Date
    ) -> Statement {
        let fresh: [ConsentID] = decisions.map { _ in ids.next() }
        let all: [ConsentDecision] = decisions.map(\.decision)
        let rows: SQL = """
            unnest(\(fresh), \(decisions.map(\.contact)), \(all.map(\.channel)), \(all.map(\.purpose)),
                \(all.map(\.action)), \(all.map(\.basis)), \(all.map(\.wording)), \(all.map(\.source)), \(all.map(\.actor)),
                \(all.map { JSONValue.object($0.evidence) }), \(all.map { $0.occurredAt ?? now }),
                \(all.map(\.expiresAt)))
                AS d (id, contact_id, channel, purpose, action, basis, wording, source, actor, evidence, occurred_at,
                    expires_at)
            """
        let isNew: SQL = onlyIfNew ? "WHERE NOT (\(Self.isKnown(scope.workspace)))" : ""
        return Statement(
            "contacts.consent.record",
            """
            WITH added AS (
                INSERT INTO marketing_consents (workspace_id, id, contact_id, channel, purpose, action, basis, wording,
                    source, actor, actor_id, evidence, occurred_at, expires_at, recorded_at)
                SELECT \(scope.workspace), d.id, d.contact_id, d.channel, d.purpose, d.action, d.basis, d.wording,
                    d.source, d.actor, CASE WHEN d.actor = 'staff' THEN \(scope.actor) END, d.evidence, d.occurred_at,
                    d.expires_at, \(now)
                FROM \(rows) JOIN marketing_contacts p ON p.workspace_id = \(scope.workspace) AND p.id = d.contact_id
                \(isNew)
                RETURNING contact_id, channel, purpose, action, occurred_at, recorded_at, id
            ), history AS (
                SELECT k.contact_id, k.channel, k.action, k.occurred_at, k.recorded_at, k.id
                FROM unnest(\(people)) AS p (id) JOIN marketing_consents k
                    ON k.workspace_id = \(scope.workspace) AND k.contact_id = p.id
                WHERE k.purpose = 'marketing' AND k.channel IN ('email', 'sms', 'tracking') AND \(Self.counts(scope.workspace))
                UNION ALL
                SELECT contact_id, channel, action, occurred_at, recorded_at, id FROM added
                WHERE purpose = 'marketing' AND channel IN ('email', 'sms', 'tracking')
            )
            \(Self.settle(scope.workspace, now: now))
            """)
    }

    /// Whether what `d` says stands already: the latest decision of its channel and purpose says yes or no alike.
    private static func isKnown(_ workspace: WorkspaceID) -> SQL {
        """
        coalesce((
            SELECT (k.action IN ('granted', 'confirmed', 'imported')) =
                (d.action IN ('granted', 'confirmed', 'imported'))
            FROM marketing_consents k
            WHERE k.workspace_id = \(workspace) AND k.contact_id = d.contact_id AND k.channel = d.channel
                AND k.purpose = d.purpose AND \(counts(workspace))
            ORDER BY k.occurred_at DESC, k.recorded_at DESC, k.id DESC LIMIT 1), false)
        """
    }

    /// Whether the row `k` counts: nobody took it back, and it takes nothing back itself.
    static func counts(_ workspace: WorkspaceID) -> SQL {
        """
        (k.retracts IS NULL AND NOT EXISTS (
            SELECT FROM marketing_consents r WHERE r.workspace_id = \(workspace) AND r.retracts = k.id))
        """
    }

    /// Sets the flags from `history`: the last thing that was said counts, an import only where no no stands.
    /// ``ConsentStanding`` says the same, decision by decision.
    private static func settle(_ workspace: WorkspaceID, now: Date) -> SQL {
        """
        \(flags)
        UPDATE marketing_contacts c
        SET email_opt_in = f.email, sms_opt_in = f.sms, tracking_allowed = coalesce(f.tracking, c.tracking_allowed),
            updated_at = \(now), version = c.version + 1
        FROM flags f
        WHERE c.workspace_id = \(workspace) AND c.id = f.contact_id
            AND (c.email_opt_in, c.sms_opt_in, c.tracking_allowed)
                IS DISTINCT FROM (f.email, f.sms, coalesce(f.tracking, c.tracking_allowed))
        """
    }

    /// The flags of everybody in `history`, as `flags (contact_id, email, sms, tracking)`.
    static let flags: SQL = """
        , said AS (
            SELECT contact_id, channel,
                (array_agg(action ORDER BY occurred_at DESC, recorded_at DESC, id DESC)
                    FILTER (WHERE action <> 'imported'))[1] AS word,
                (array_agg(action ORDER BY occurred_at DESC, recorded_at DESC, id DESC))[1] AS last
            FROM history GROUP BY contact_id, channel
        ), flags AS (
            SELECT contact_id, bool_or(granted) FILTER (WHERE channel = 'email') AS email,
                bool_or(granted) FILTER (WHERE channel = 'sms') AS sms,
                bool_or(granted) FILTER (WHERE channel = 'tracking') AS tracking
            FROM (
                SELECT contact_id, channel, CASE
                    WHEN word IN ('withdrawn', 'refused') THEN false
                    WHEN word IN ('granted', 'confirmed') OR last = 'imported' THEN true
                    ELSE false END AS granted
                FROM said
            ) s
            GROUP BY contact_id
        )
        """
}

/// Reading the ledger.
package enum ConsentQueries {
    /// All decisions of a person, the newest first.
    package static func history(
        of contact: ContactID, limit: Int = 1_000, _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> [ConsentRecord] {
        try await session.all(
            ConsentRecord.self, "contacts.consent.history", select(of: contact, limit: limit, scope))
    }

    /// For a page that asks for several things in one round trip.
    static func select(of contact: ContactID, limit: Int, _ scope: WorkspaceScope) -> SQL {
        """
        SELECT \(ConsentRecord.columns) FROM marketing_consents k
        WHERE k.workspace_id = \(scope.workspace) AND k.contact_id = \(contact)
        ORDER BY k.occurred_at DESC, k.recorded_at DESC, k.id DESC LIMIT \(limit)
        """
    }
}
