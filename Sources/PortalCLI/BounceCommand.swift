import ArgumentParser
import Mail
import Messaging
import Portal

/// Takes a returned mail from a mail server.
struct Bounce: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take in a bounce or a complaint: a mail on standard input.",
        discussion: """
            For the alias or transport of a mail server. The report finds its message by the return address, settles it
            and suppresses the address when that follows; the same report again changes nothing.

            Exit status: 0 taken or nothing to do, 65 no report about a message of this portal, 75 try again later
            (sysexits.h). docs/mail.md has examples for Postfix and OpenSMTPD.
            """)

    @Option(help: "The address that the mail was delivered to, when its headers do not say so.")
    var recipient: String?

    /// EX_DATAERR and EX_TEMPFAIL of sysexits.h, which mail servers know.
    private static let notOurs = ExitCode(65)
    private static let later = ExitCode(75)

    func run() async throws {
        let outcome: BounceIntake.Outcome
        do {
            let mail: [UInt8] = try StandardInput.read(limit: BounceReport.sizeLimit)
            let recipient: String? = recipient
            outcome = try await CommandSupport.withRuntime { runtime in
                try await runtime.assembly.messaging.interface.bounces.take(mail, recipient: recipient)
            }
        } catch {
            print("The report cannot be taken now: \(error)")
            throw Self.later
        }
        print(Self.words(for: outcome))
        switch outcome {
        case .unknown: throw Self.notOurs
        case .tooEarly: throw Self.later
        case .bounced, .complained, .repeated, .ignored: return
        }
    }

    static func words(for outcome: BounceIntake.Outcome) -> String {
        switch outcome {
        case .bounced(let message, let kind): "Message \(message) came back (\(kind.rawValue))."
        case .complained(let message): "Message \(message) was marked as spam."
        case .repeated(let message): "Nothing changed: a report about message \(message) was taken before."
        case .ignored(let reason): "Nothing changed: \(reason)"
        case .tooEarly(let message): "Message \(message) is not written down as sent yet. Bring the report again later."
        case .unknown: "This is no report about a message of this portal."
        }
    }
}
