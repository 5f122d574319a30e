import Accounts
import Templates
import Web

/// A letter of the portal as text.
struct NoticeMail: ViewPage {
    let mail: SystemMail

    static let view = "mail/notice"
    static let fields = Fields<NoticeMail> { f in
        f.text("heading") { $0.mail.heading }
        f.text("message") { $0.mail.message }
        f.optionalText("actionLabel") { $0.mail.actionLabel }
        f.optionalText("actionHref") { $0.mail.actionHref }
    }
    static var previews: [NoticeMail] {
        [NoticeMail(mail: SystemMail(subject: "Hello", heading: "Hello Ana", message: "Something happened."))]
    }
}
