/// Domains where anybody can have an address. People there are nobody's employees, so no company is made or matched by
/// them.
package enum FreeMailDomains {
    /// - Parameter domain: lower case, ASCII.
    package static func contains(_ domain: String) -> Bool {
        if all.contains(domain) { return true }
        // yahoo.co.uk, hotmail.fr, live.nl: the big ones have a domain in most countries.
        let labels: [Substring] = domain.split(separator: ".", omittingEmptySubsequences: false)
        guard let name = labels.first, let country = labels.last, everywhere.contains(String(name)) else {
            return false
        }
        switch labels.count {
        case 2: return country == "com" || country.utf8.count == 2
        case 3: return country.utf8.count == 2 && ["co", "com", "ne"].contains(labels[1])
        default: return false
        }
    }

    private static let everywhere: Set<String> = ["yahoo", "hotmail", "live", "outlook", "msn", "gmx", "ymail"]

    private static let all: Set<String> = Set(
        """
        gmail.com googlemail.com aol.com aol.de aol.co.uk aim.com icloud.com me.com mac.com \
        privaterelay.appleid.com proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.com tuta.io \
        tutamail.com keemail.me fastmail.com fastmail.fm zoho.com zohomail.com zohomail.eu yandex.com yandex.ru ya.ru \
        yandex.ua yandex.by yandex.kz mail.ru bk.ru list.ru inbox.ru internet.ru rambler.ru lenta.ru autorambler.ru \
        myrambler.ru ro.ru mail.com email.com usa.com europe.com post.com consultant.com engineer.com techie.com \
        dr.com myself.com gmx.net gmx.de gmx.at gmx.ch gmx.com web.de t-online.de freenet.de arcor.de vodafone.de \
        online.de 1und1.de posteo.de posteo.net mailbox.org kabelmail.de unitybox.de o2online.de alice-dsl.net \
        magenta.de email.de firemail.de hushmail.com hush.com lavabit.com runbox.com startmail.com disroot.org \
        riseup.net mailfence.com ctemplar.com cock.li countermail.com orange.fr wanadoo.fr free.fr sfr.fr neuf.fr \
        laposte.net bbox.fr numericable.fr club-internet.fr aliceadsl.fr voila.fr libero.it virgilio.it tiscali.it \
        alice.it tin.it inwind.it iol.it email.it fastwebnet.it poste.it tim.it terra.es telefonica.net \
        movistar.es ono.com sapo.pt clix.pt netcabo.pt iol.pt ziggo.nl kpnmail.nl planet.nl hetnet.nl home.nl \
        xs4all.nl chello.nl quicknet.nl telenet.be skynet.be proximus.be scarlet.be bluewin.ch sunrise.ch hispeed.ch \
        chello.at aon.at a1.net inode.at kabsi.at telia.com tele2.se bredband.net comhem.se spray.se online.no \
        telenor.no broadpark.no start.no mail.dk stofanet.dk jubii.dk ofir.dk tdcadsl.dk kolumbus.fi saunalahti.fi \
        luukku.com elisanet.fi suomi24.fi wp.pl onet.pl onet.eu op.pl o2.pl interia.pl interia.eu poczta.onet.pl \
        gazeta.pl tlen.pl vp.pl seznam.cz email.cz centrum.cz post.cz atlas.cz volny.cz centrum.sk azet.sk zoznam.sk \
        freemail.hu citromail.hu t-online.hu indamail.hu abv.bg mail.bg dir.bg net.hr siol.net bih.net.ba ukr.net i.ua \
        meta.ua bigmir.net inbox.lv inbox.lt one.lt btinternet.com btopenworld.com sky.com talktalk.net virginmedia.com \
        ntlworld.com blueyonder.co.uk tiscali.co.uk tesco.net o2.co.uk plusnet.com eircom.net comcast.net verizon.net \
        att.net sbcglobal.net bellsouth.net cox.net charter.net spectrum.net earthlink.net juno.com netzero.net \
        optonline.net optimum.net frontier.com frontiernet.net windstream.net centurylink.net rocketmail.com roadrunner.com \
        rr.com twc.com mindspring.com excite.com lycos.com netscape.net rogers.com shaw.ca bell.net sympatico.ca telus.net \
        videotron.ca bigpond.com bigpond.net.au optusnet.com.au iinet.net.au westnet.com.au ozemail.com.au tpg.com.au \
        xtra.co.nz slingshot.co.nz vodafone.co.nz uol.com.br bol.com.br terra.com.br ig.com.br globo.com globomail.com \
        oi.com.br r7.com zipmail.com.br prodigy.net.mx infinitum.com.mx fibertel.com.ar arnet.com.ar speedy.com.ar \
        ciudad.com.ar vtr.net une.net.co etb.net.co cantv.net qq.com vip.qq.com foxmail.com 163.com vip.163.com 126.com \
        yeah.net sina.com sina.cn sohu.com 139.com 189.cn wo.cn aliyun.com tom.com 21cn.com naver.com hanmail.net daum.net \
        nate.com kakao.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp au.com nifty.com biglobe.ne.jp \
        so-net.ne.jp ocn.ne.jp plala.or.jp goo.jp excite.co.jp rediffmail.com indiatimes.com sify.com in.com \
        pchome.com.tw hinet.net seed.net.tw singnet.com.sg starhub.net.sg mynet.com ttmail.com superonline.com walla.com \
        walla.co.il netvision.net.il bezeqint.net 012.net.il zahav.net.il emirates.net.ae eim.ae mweb.co.za telkomsa.net \
        webmail.co.za vodamail.co.za mailinator.com guerrillamail.com 10minutemail.com yopmail.com temp-mail.org \
        sharklasers.com trashmail.com dispostable.com maildrop.cc getnada.com duck.com simplelogin.com anonaddy.com \
        relay.firefox.com mozmail.com hey.com skiff.com
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
