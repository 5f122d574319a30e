import Core
import Mail

/// How letters of the portal leave through the system-wide sender: one message, one connection.
enum SystemMailTransport {
    /// - Throws: `ValidationErrors` for an address of the sender that cannot be read, `Undelivered` otherwise; the queue
    ///   then tries again.
    static func send(_ message: [UInt8], from sender: String, to recipient: String, url: String) async throws {
        let pool = SMTPPool(settings: try SMTPSettings(url: url), connections: 1)
        defer { pool.stop() }
        var batch = SMTPBatch()
        batch.append(sender: sender, recipient: recipient, message: message)
        guard case .accepted? = await pool.deliver(batch).first else { throw Undelivered() }
    }

    struct Undelivered: Error, CustomStringConvertible {
        let description = "The system sender did not take the letter."
    }
}
