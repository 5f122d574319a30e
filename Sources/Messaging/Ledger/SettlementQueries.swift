import Contacts
import Core
import FoundationEssentials
import Postgres

/// What is known of a claimed batch at the time of writing it down.
struct BatchSettlement: Sendable {
    enum Next: String, Sendable {
        /// Everything is settled.
        case done
        /// Some messages were not begun; another dispatcher may take them.
        case ready
        /// Still being worked on: what is known so far is written down.
        case claimed
    }

    struct Message: Sendable, Equatable {
        let id: MessageID
        let contact: ContactID
        let email: String?
        let entry: LedgerEntry
    }

    let batch: BatchID
    let fence: Int64
    let next: Next
    /// When a batch that is given back may be taken again.
    var notBefore: Date?
    let messages: [Message]
}

/// Writes what happened into the ledger, in one statement for any number of batches.
struct SettlementQueries {
    let workspace: WorkspaceID
    let send: SendID
    let tx: PostgresTransaction

    /// Settles batches, each only if its fence is still ours, and adds to the send's totals in the same statement.
    /// - Returns: the batches that were ours. A message is written only while it waits, so repeating is harmless.
    func settle(_ settlements: [BatchSettlement], now: Date) async throws -> Set<BatchID> {
        let columns = SettlementColumns(settlements)
        let settled = try await tx.values(
            BatchID.self, "messaging.settle",
            """
            WITH ours AS (
                UPDATE marketing_send_batches b
                SET state = n.state, not_before = n.not_before,
                    settled_at = CASE WHEN n.state = 'done' THEN \(now) END,
                    claimed_by = CASE WHEN n.state = 'ready' THEN NULL ELSE b.claimed_by END
                FROM unnest(\(columns.batches), \(columns.fences), \(columns.states), \(columns.notBefore))
                    AS n (id, fence, state, not_before)
                WHERE b.workspace_id = \(workspace) AND b.send_id = \(send) AND b.id = n.id
                    AND b.fence = n.fence AND b.state = 'claimed'
                RETURNING b.id
            ),
            written AS (
                UPDATE marketing_messages m
                SET state = e.state, reason = e.reason, provider_response = e.response, attempt = m.attempt + e.tried,
                    next_attempt_at = e.next_attempt,
                    email = CASE WHEN e.email IS NULL THEN m.email ELSE e.email END,
                    sent_at = CASE WHEN e.state = 'sent' THEN \(now) ELSE m.sent_at END,
                    bounced_at = CASE WHEN e.reason = 'hard_bounce' THEN \(now) ELSE m.bounced_at END
                FROM (
                    SELECT unnest(\(columns.ids)) AS id, unnest(\(columns.ownerBatches)) AS batch,
                        unnest(\(columns.entryStates)) AS state, unnest(\(columns.reasons)) AS reason,
                        unnest(\(columns.responses)) AS response, unnest(\(columns.tried)) AS tried,
                        unnest(\(columns.nextAttempts)) AS next_attempt, unnest(\(columns.emails)) AS email
                ) e
                WHERE m.workspace_id = \(workspace) AND m.id = e.id AND m.state IN ('pending', 'retry')
                    AND e.batch IN (SELECT id FROM ours)
                RETURNING e.state, e.reason, e.tried, m.attempt, m.contact_id, m.id
            ),
            \(SentTimes.noting(Self.handedOver, workspace, at: now)),
            totals AS (
                UPDATE marketing_sends s
                SET sent = s.sent + w.sent, failed = s.failed + w.failed, bounced = s.bounced + w.bounced,
                    uncertain = s.uncertain + w.uncertain, skipped = s.skipped + w.skipped,
                    recipients = s.recipients - w.skipped, cancelled = s.cancelled + w.cancelled,
                    retrying = s.retrying + w.retrying,
                    first_sent_at = CASE WHEN w.sent > 0 THEN coalesce(s.first_sent_at, \(now)) ELSE s.first_sent_at END
                FROM (\(Self.counts)) w
                WHERE s.workspace_id = \(workspace) AND s.id = \(send) AND w.written > 0
            )
            SELECT id FROM ours
            """)
        return Set(settled)
    }

    private static let handedOver: SQL = "(SELECT id, contact_id FROM written WHERE state = 'sent')"

    /// A message that waited for another try had an attempt before this one.
    private static let counts: SQL = """
        SELECT count(*) AS written,
            count(*) FILTER (WHERE state = 'sent') AS sent,
            count(*) FILTER (WHERE state = 'failed') AS failed,
            count(*) FILTER (WHERE reason = 'hard_bounce') AS bounced,
            count(*) FILTER (WHERE state = 'uncertain') AS uncertain,
            count(*) FILTER (WHERE state = 'skipped') AS skipped,
            count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
            count(*) FILTER (WHERE state = 'retry') - count(*) FILTER (WHERE attempt - tried > 0) AS retrying
        FROM written
        """

    /// Puts messages that wait for another try into batches of their own, one for each wait.
    func addRetries(_ retries: [RetryBatch]) async throws {
        for retry in retries {
            guard let first = retry.messages.min(), let last = retry.messages.max() else { continue }
            try await tx.run(
                "messaging.add_retries",
                """
                INSERT INTO marketing_send_batches
                    (workspace_id, send_id, id, first_id, last_id, ids, size, not_before)
                VALUES (\(workspace), \(send), \(retry.id), \(first), \(last), \(retry.messages), \(retry.messages.count),
                    \(retry.due))
                """)
        }
    }

    /// Marks what nobody can know any more: the messages of a claim whose holder is gone with its journal.
    func park(_ claim: ClaimedBatch, now: Date) async throws {
        let mine: SQL = claim.ids.map { "m.id = ANY (\($0))" } ?? "m.id BETWEEN \(claim.first) AND \(claim.last)"
        let waiting: SQL = claim.ids == nil ? "m.state = 'pending'" : "m.state = 'retry'"
        try await tx.run(
            "messaging.park",
            """
            WITH ours AS (
                UPDATE marketing_send_batches SET state = 'done', fence = fence + 1, settled_at = \(now)
                WHERE workspace_id = \(workspace) AND send_id = \(send) AND id = \(claim.id)
                    AND fence = \(claim.fence) AND state = 'claimed' AND leased_until < \(now)
                RETURNING id
            ),
            parked AS (
                UPDATE marketing_messages m
                SET state = 'uncertain', reason = 'crash_uncertain', attempt = attempt + 1, next_attempt_at = NULL
                WHERE m.workspace_id = \(workspace) AND m.send_id = \(send) AND \(mine) AND \(waiting)
                    AND EXISTS (SELECT 1 FROM ours)
                RETURNING m.attempt
            )
            UPDATE marketing_sends s
            SET uncertain = s.uncertain + p.count, retrying = s.retrying - p.again
            FROM (SELECT count(*) AS count, count(*) FILTER (WHERE attempt > 1) AS again FROM parked) p
            WHERE s.workspace_id = \(workspace) AND s.id = \(send) AND p.count > 0
            """)
    }
}

/// Messages that are due for another try at the same time.
struct RetryBatch: Sendable {
    let id: BatchID
    let due: Date
    let messages: [MessageID]
}

/// Settlements as the columns of one statement.
private struct SettlementColumns {
    var batches: [BatchID] = []
    var fences: [Int64] = []
    var states: [String] = []
    var notBefore: [Date?] = []
    var ids: [MessageID] = []
    var ownerBatches: [BatchID] = []
    var entryStates: [String] = []
    var reasons: [String?] = []
    var responses: [String?] = []
    var tried: [Int] = []
    var nextAttempts: [Date?] = []
    var emails: [String?] = []

    init(_ settlements: [BatchSettlement]) {
        for settlement in settlements {
            batches.append(settlement.batch)
            fences.append(settlement.fence)
            states.append(settlement.next.rawValue)
            notBefore.append(settlement.notBefore)
            for message in settlement.messages {
                ids.append(message.id)
                ownerBatches.append(settlement.batch)
                entryStates.append(message.entry.state.rawValue)
                reasons.append(message.entry.reason?.rawValue)
                responses.append(message.entry.response)
                tried.append(message.entry.wasTried ? 1 : 0)
                nextAttempts.append(message.entry.nextAttempt)
                emails.append(message.email)
            }
        }
    }
}
