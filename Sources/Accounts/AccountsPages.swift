import Core
import FoundationEssentials
import Templates
import Web

/// The form to sign in.
struct LoginPage: ViewPage {
    var email = FormField("email")
    var password = FormField("password")
    var next: String?
    var errors = ValidationErrors()

    static let view = "accounts/login"
    static let fields = Fields<LoginPage> { f in
        f.record("email", of: FormField.self) { $0.email }
        f.record("password", of: FormField.self) { $0.password }
        f.optionalText("next") { $0.next }
        f.flag("registrationOpen") { _ in true }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [LoginPage] {
        let errors = ValidationErrors("email", "The e-mail address or the password is wrong.")
        return [
            LoginPage(),
            LoginPage(email: FormField("email", "ana@example.com", errors), next: "/contacts", errors: errors),
        ]
    }
}

struct RegisterPage: ViewPage {
    var name = FormField("name")
    var email = FormField("email")
    var password = FormField("password")
    var workspaceName = FormField("workspaceName")
    var timeZone = ""
    var errors = ValidationErrors()

    static let view = "accounts/register"
    static let fields = Fields<RegisterPage> { f in
        f.record("name", of: FormField.self) { $0.name }
        f.record("email", of: FormField.self) { $0.email }
        f.record("password", of: FormField.self) { $0.password }
        f.record("workspaceName", of: FormField.self) { $0.workspaceName }
        f.text("timeZone") { $0.timeZone }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [RegisterPage] { [RegisterPage()] }
}

struct ForgottenPasswordPage: ViewPage {
    var email = FormField("email")
    var sent = false
    var errors = ValidationErrors()

    static let view = "accounts/forgotten-password"
    static let fields = Fields<ForgottenPasswordPage> { f in
        f.record("email", of: FormField.self) { $0.email }
        f.flag("sent") { $0.sent }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [ForgottenPasswordPage] { [ForgottenPasswordPage(), ForgottenPasswordPage(sent: true)] }
}

struct ResetPasswordPage: ViewPage {
    var token = ""
    var valid = true
    var password = FormField("password")
    var errors = ValidationErrors()

    static let view = "accounts/reset-password"
    static let fields = Fields<ResetPasswordPage> { f in
        f.text("token") { $0.token }
        f.flag("valid") { $0.valid }
        f.record("password", of: FormField.self) { $0.password }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [ResetPasswordPage] { [ResetPasswordPage(), ResetPasswordPage(valid: false)] }
}

struct InvitationPage: ViewPage {
    var token = ""
    var invitation: Invitation?
    var hasAccount = false
    var name = FormField("name")
    var password = FormField("password")
    var errors = ValidationErrors()

    static let view = "accounts/invitation"
    static let fields = Fields<InvitationPage> { f in
        f.text("token") { $0.token }
        f.flag("valid") { $0.invitation != nil }
        f.text("workspaceName") { $0.invitation?.workspaceName ?? "" }
        f.text("inviterName") { $0.invitation?.inviterName ?? "" }
        f.text("email") { $0.invitation?.email ?? "" }
        f.text("role") { $0.invitation?.role.rawValue ?? "" }
        f.flag("hasAccount") { $0.hasAccount }
        f.record("name", of: FormField.self) { $0.name }
        f.record("password", of: FormField.self) { $0.password }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [InvitationPage] { [InvitationPage()] }
}

struct ProfilePage: ViewPage {
    var name: FormField
    var email: FormField
    var currentPassword = FormField("currentPassword")
    var newPassword = FormField("newPassword")
    var errors = ValidationErrors()

    static let view = "accounts/profile"
    static let fields = Fields<ProfilePage> { f in
        f.record("name", of: FormField.self) { $0.name }
        f.record("email", of: FormField.self) { $0.email }
        f.record("currentPassword", of: FormField.self) { $0.currentPassword }
        f.record("newPassword", of: FormField.self) { $0.newPassword }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [ProfilePage] {
        [ProfilePage(name: FormField("name", "Ana Ruiz"), email: FormField("email", "ana@example.com"))]
    }
}

struct WorkspaceSettingsPage: ViewPage {
    let form: WorkspaceSettingsForm
    let canEdit: Bool
    /// The page that sent the person here and gets them back after saving.
    var returnPath: String?
    var errors = ValidationErrors()

    static let view = "accounts/workspace-settings"
    static let fields = Fields<WorkspaceSettingsPage> { f in
        f.record("name", of: FormField.self) { FormField("name", $0.form.name, $0.errors) }
        f.optionalText("returnPath") { $0.returnPath }
        f.record("postalAddress", of: FormField.self) { FormField("postalAddress", $0.form.postalAddress, $0.errors) }
        f.record("brandName", of: FormField.self) { FormField("brandName", $0.form.brandName, $0.errors) }
        f.record("brandColor", of: FormField.self) { FormField("brandColor", $0.form.brandColor, $0.errors) }
        f.record("brandLogo", of: FormField.self) { FormField("brandLogo", $0.form.brandLogo, $0.errors) }
        f.list("timeZones", of: SelectOption.self) { page in
            TimeZoneNames.all.map { SelectOption(value: $0, label: $0, selected: $0 == page.form.timeZone) }
        }
        f.list("locales", of: SelectOption.self) { page in
            WorkspaceSettingsForm.locales.map {
                SelectOption(value: $0.0, label: $0.1, selected: $0.0 == page.form.locale)
            }
        }
        f.flag("trackOpens") { $0.form.trackOpens }
        f.flag("trackClicks") { $0.form.trackClicks }
        f.flag("canEdit") { $0.canEdit }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [WorkspaceSettingsPage] {
        [
            WorkspaceSettingsPage(
                form: WorkspaceSettingsForm(FormValues([("name", "Acme"), ("timeZone", "UTC")])), canEdit: true)
        ]
    }
}
