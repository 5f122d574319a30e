import CLibCurl
import Core
import Synchronization

/// Sends one message and keeps the whole conversation, to show a person what their server really answers.
package enum SMTPTest {
    package struct Line: Sendable, Equatable {
        package enum Side: String, Sendable, Equatable, Codable {
            case client, server
            /// Remarks about the connection: addresses, TLS version, certificate.
            case note
        }

        package let side: Side
        package let text: String
    }

    package struct Report: Sendable {
        package let outcome: SMTPOutcome
        /// Passwords are masked and the message's own text is left out.
        package let lines: [Line]
    }

    /// Blocks nothing: the conversation runs on a thread of its own.
    package static func run(
        settings: SMTPSettings, sender: String, recipient: String, message: [UInt8]
    ) async -> Report {
        await withCheckedContinuation { continuation in
            OwnThread.launch(name: "smtp-test") {
                let client = SMTPClient(settings: settings)
                let transcript = SMTPTranscript()
                client.record(into: transcript)
                let envelope = SMTPEnvelope(sender: sender, recipient: recipient, size: message.count)
                let outcome: SMTPOutcome = message.withUnsafeBytes { client.deliver(envelope, message: $0) }
                continuation.resume(returning: Report(outcome: outcome, lines: transcript.lines))
            }
        }
    }
}

/// Collects the dialogue: how libcurl connects, as it shows its debug callback, and what follows.
final class SMTPTranscript {
    private(set) var lines: [SMTPTest.Line] = []
    private var isSigningIn = false

    static let callback:
        @convention(c) (
            UnsafeMutableRawPointer?, curl_infotype, UnsafeMutablePointer<CChar>?, Int, UnsafeMutableRawPointer?
        ) -> Int32 = { _, kind, text, count, context in
            guard let text, let context else { return 0 }
            let side: SMTPTest.Line.Side
            switch kind {
            case CURLINFO_HEADER_OUT: side = .client
            case CURLINFO_HEADER_IN: side = .server
            case CURLINFO_TEXT: side = .note
            default: return 0
            }
            let bytes: [UInt8] = UnsafeRawBufferPointer(start: text, count: count).map { $0 }
            Unmanaged<SMTPTranscript>.fromOpaque(context).takeUnretainedValue().note(side, bytes)
            return 0
        }

    func note(_ side: SMTPTest.Line.Side, _ bytes: [UInt8]) {
        guard lines.count < 500 else { return }
        for line in bytes.split(whereSeparator: { $0 == 13 || $0 == 10 }) {
            let text = String(decoding: line.prefix(500), as: UTF8.self)
            switch side {
            case .client: lines.append(SMTPTest.Line(side: side, text: masked(text)))
            case .server:
                if isSigningIn, !text.hasPrefix("334") { isSigningIn = false }
                lines.append(SMTPTest.Line(side: side, text: text))
            case .note:
                lines.append(SMTPTest.Line(side: side, text: text.trimmingPrefix(while: { $0 == " " }).description))
            }
        }
    }

    /// Everything the client says from AUTH until the server's verdict is a secret.
    private func masked(_ text: String) -> String {
        if text.uppercased().hasPrefix("AUTH ") {
            isSigningIn = true
            let method: Substring = text.split(separator: " ").dropFirst().first ?? ""
            return "AUTH \(method) •••"
        }
        return isSigningIn ? "•••" : text
    }
}
