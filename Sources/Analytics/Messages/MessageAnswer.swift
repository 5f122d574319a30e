import Messaging

/// Why somebody got a message, or did not: a sentence and what can be done about it.
struct MessageAnswer: Sendable, Equatable {
    let sentence: String
    let advice: String?

    init(_ row: MessageRow) {
        let name: String = row.name ?? row.email ?? "This person"
        if row.isKeptInOutbox {
            self.init(keptFor: name)
        } else {
            self.init(name: name, state: row.state, reason: row.reason)
        }
    }

    /// No mail server was asked.
    init(keptFor name: String) {
        sentence = "The message to \(name) is kept in the Outbox. It was not sent to anybody."
        advice = "To send for real, set up a mail server in the e-mail settings."
    }

    init(name: String, state: MessageState, reason: String?) {
        switch state {
        case .pending, .sending:
            sentence = "The message to \(name) waits for its turn."
            advice = nil
        case .retry:
            sentence = "The mail server would not take the message to \(name) for now. It will be tried again."
            advice = "Nothing needs to be done. If it keeps refusing, the message counts as failed."
        case .sent, .delivered:
            sentence = "The mail server took the message to \(name)."
            advice =
                "If it cannot be found, it may be in the junk folder, or the receiving company may have held it back."
        case .failed, .bounced: (sentence, advice) = Self.refused(name, reason.flatMap(MessageReason.init))
        case .uncertain:
            sentence = "Nobody knows whether \(name) got the message."
            advice =
                "The connection ended before the mail server answered. It is not sent again by itself, so that nobody "
                + "gets it twice; you decide on the page of uncertain messages."
        case .skipped: (sentence, advice) = Self.skipped(name, reason.flatMap(MessageReason.init))
        case .cancelled:
            sentence = "\(name) did not get the message: the campaign was cancelled first."
            advice = nil
        }
    }

    private static func refused(_ name: String, _ reason: MessageReason?) -> (String, String?) {
        let start = "\(name) did not get the message: "
        switch reason {
        case .hardBounce:
            return (
                start + "the mail server says that the address does not exist.",
                "The address is not written to again. If it is right after all, lift it on the do-not-send list."
            )
        case .softBounce:
            return (
                start + "the mailbox would not take it, and the tries are used up.",
                "The mailbox may be full or switched off. The next campaign tries again; after five failures in a row "
                    + "over two weeks the address is suppressed."
            )
        case .blocked:
            return (
                start + "the mail server refused it as a matter of policy.",
                "This is about the sender, not the address: read the server’s answer below."
            )
        case .renderError:
            return (start + "it could not be personalised.", "Check the variables and conditions of the e-mail.")
        default:
            return (start + "the mail server refused it.", "The server’s answer below says more.")
        }
    }

    private static func skipped(_ name: String, _ reason: MessageReason?) -> (String, String?) {
        let start = "\(name) was left out: "
        switch reason {
        case .suppressedUnsubscribed:
            return (
                start + "they have unsubscribed.", "Only they can subscribe again, by the link in an e-mail they got."
            )
        case .suppressedBounce:
            return (
                start + "an earlier message to the address bounced.",
                "If the address is right, lift it on the do-not-send list."
            )
        case .suppressedComplaint:
            return (start + "they marked an earlier message as spam.", "Writing again would harm your reputation.")
        case .suppressedManually:
            return (start + "the address is on the do-not-send list.", "Somebody of your workspace put it there.")
        case .suppressedDomain:
            return (
                start + "their whole domain is on the do-not-send list.", "Somebody of your workspace put it there."
            )
        case .suppressedErased:
            return (start + "the address belongs to a person who was erased.", "Only a hash of the address is left.")
        case .consentWithdrawn:
            return (start + "their consent was withdrawn or ran out.", "The contact’s consent history says how.")
        case .notConfirmed: return (start + "they have not confirmed their subscription.", nil)
        case .noEmail: return (start + "there is no e-mail address.", "Add one to the contact.")
        case .invalidEmail: return (start + "the e-mail address cannot be used.", "Correct it on the contact.")
        case .deleted: return (start + "the contact was deleted before the message went out.", nil)
        case .duplicateAddress:
            return (start + "another contact has the same address and gets the message.", nil)
        case .onExcludedList: return (start + "they are on a list that the campaign excludes.", nil)
        default: return (start + "see the reason below.", nil)
        }
    }
}
