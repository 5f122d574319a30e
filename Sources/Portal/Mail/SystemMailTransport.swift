/// How letters of the portal leave through the system-wide sender.
enum SystemMailTransport {
    static func send(_ message: [UInt8], from sender: String, to recipient: String, url: String) async throws {
        throw CancellationError()
    }
}
