import Core
import FoundationEssentials
import Mail
import Synchronization
import Templates

/// Makes and hands over a part of a batch: first all its messages are made, then they go out one after the other, each
/// noted in the journal before and after.
struct BatchWork: Sendable {
    let email: CompiledEmail
    let returnPath: ReturnPath
    let workspaceName: String
    let carrier: any MessageCarrier
    let journal: HandoverJournal?
    let control: SendControl

    /// How many messages are made before they go out: about a megabyte of them.
    var partSize: Int { max(1, (1 << 20) / max(1, email.expectedSize)) }

    /// Every message has an outcome afterwards; those after a stop were not begun.
    /// - Parameter outgoing: room for the finished messages; what it holds from before is thrown away.
    func run(
        _ messages: ArraySlice<LoadedMessage>, tag: UInt32, at now: Date, in outgoing: inout OutgoingMessages
    ) async -> [HandoverOutcome] {
        var outcomes = [HandoverOutcome](repeating: .notStarted, count: messages.count)
        outgoing.removeAll()
        outgoing.batch.reserve(count: messages.count, size: messages.count * email.expectedSize)
        var places: [Int] = []
        var values = MessageValues()
        var merge = MergeData(workspaceName: workspaceName)
        let date = MailDate(now)
        for (place, message) in messages.enumerated() {
            if let refusal = add(message, to: &outgoing, values: &values, merge: &merge, date: date) {
                outcomes[place] = refusal
            } else {
                places.append(place)
            }
        }
        let delivered: [HandoverOutcome] = await deliver(outgoing, tag: tag)
        for (place, outcome) in zip(places, delivered) { outcomes[place] = outcome }
        return outcomes
    }

    private func deliver(_ outgoing: OutgoingMessages, tag: UInt32) async -> [HandoverOutcome] {
        guard outgoing.count > 0 else { return [] }
        guard control.stopReason == nil else { return stopped(outgoing.count) }
        let watch = BatchWatch(journal: journal, control: control, tag: tag)
        let outcomes: [HandoverOutcome] = await carrier.deliver(outgoing, watch: watch)
        watch.finish()
        guard control.stopReason == .cancelled else { return outcomes }
        return outcomes.map { $0 == .notStarted ? .cancelled : $0 }
    }

    private func stopped(_ count: Int) -> [HandoverOutcome] {
        [HandoverOutcome](repeating: control.stopReason == .cancelled ? .cancelled : .notStarted, count: count)
    }

    /// Makes a message. Answers why it is not sent, if it is not.
    private func add(
        _ message: LoadedMessage, to outgoing: inout OutgoingMessages, values: inout MessageValues,
        merge: inout MergeData,
        date: MailDate
    ) -> HandoverOutcome? {
        if let refusal = message.refusal { return .skipped(refusal) }
        guard let person = message.person, let written = person.email else { return .skipped(.noEmail) }
        guard let address = Self.wireForm(of: written) else { return .skipped(.invalidEmail) }
        let recipient = Recipient(
            message: message.id, contact: message.contact, address: address, name: person.name,
            data: merge.values(of: person, id: message.contact),
            allowsTracking: person.allowsTracking)
        do {
            try outgoing.batch.append(sender: returnPath.address(for: message.id), recipient: address) { output in
                try email.render(for: recipient, date: date, values: &values, into: &output)
            }
        } catch {
            return .unrenderable(Self.explanation(error))
        }
        outgoing.ids.append(message.id)
        if !carrier.isExternal { outgoing.subjects.append(email.subjectLine(for: recipient)) }
        return nil
    }

    /// Most addresses are ASCII and are their own wire form; the others' domains are translated.
    static func wireForm(of email: String) -> String? {
        if email.utf8.allSatisfy({ $0 < 128 }) { return WireAddress.isSafe(email) ? email : nil }
        guard let address = try? EmailAddress(parsing: email), !address.needsSMTPUTF8 else { return nil }
        return address.wireForm
    }

    static func explanation(_ error: any Error) -> String {
        switch error {
        case let error as TemplateError: "Line \(error.line): \(error.message)"
        case let error as ValidationErrors: error.entries.first?.message ?? "The message is not valid."
        default: "The message could not be made."
        }
    }
}

/// Follows one delivery: asks whether to go on, keeps the journal, counts.
private final class BatchWatch: HandoverWatch {
    private let journal: HandoverJournal?
    private let control: SendControl
    private let tag: UInt32
    /// The result that goes to the journal together with the next message's beginning: one write instead of two.
    private let unnoted = Mutex<JournalRecord.Result?>(nil)

    init(journal: HandoverJournal?, control: SendControl, tag: UInt32) {
        self.journal = journal
        self.control = control
        self.tag = tag
    }

    func mayBegin(_ message: MessageID) -> Bool {
        guard control.stopReason == nil else { return false }
        do {
            try journal?.handing(message, after: unnoted.withLock { $0.take() }, tag: tag)
            return true
        } catch {
            control.stop(.harmful("The portal cannot write to its disk (\(error))."))
            return false
        }
    }

    func ended(_ message: MessageID, _ outcome: HandoverOutcome) {
        unnoted.withLock { $0 = JournalRecord.Result(message: message, outcome: outcome) }
        control.note(outcome)
    }

    func finish() {
        guard let last = unnoted.withLock({ $0.take() }) else { return }
        do {
            try journal?.ended(last, tag: tag)
        } catch {
            control.stop(.harmful("The portal cannot write to its disk (\(error))."))
        }
    }
}

/// The envelope sender of a message.
struct ReturnPath: Sendable {
    let fallback: String
    let bounces: BounceAddress?

    /// An address of its own per message where a bounce domain is set (VERP), else the From address.
    func address(for message: MessageID) -> String {
        guard let bounces else { return fallback }
        let id: String = message.description.filter { $0 != "-" }
        return bounces.address(for: id) ?? fallback
    }
}
