//! The words of the guard. A test keeps them equal to `spec/words.json`.
//!
//! They are one text and the places in it, because a table of texts takes three times as much room in a browser.

use super::List;

/// Each word in its one form (2.2.25), in order, with a letter for each list that it is on.
#[rustfmt::skip]
const TEXT: &str = "\
    access:c account:c activa:g activated:g activation:c active:g activo:g actualizacion:p actualizada:p actualizado:p \
    added:a admin:t administrador:t administradore:t age:c all:g allow:s allowed:s allowlist:s alvo:s ambiente:c \
    anonima:t anonimo:t anonymou:t apagada:t apagado:t apena:s app:c applicable:c application:c apply:c archivada:t \
    archivado:t archive:t archived:t arquivada:t arquivado:t asignada:a asignado:a assigned:a assignee:a assinatura:c \
    ativa:g ativo:g atualizacao:p atualizada:p atualizado:p audience:c audiencia:c authenticated:t author:a \
    authorised:s authorized:s autorizada:s autorizado:s availability:c available:g ban:s banned:s begin:c beta:t \
    blacklist:s blacklisted:s blanca:s block:s blocked:s bloqueada:s bloqueado:s bloquear:s borrada:t borrado:t \
    borrador:t branca:s brand:c browser:c business:c by:bp caduca:c caducada:t caducado:t canary:h cancelada:t \
    cancelado:t canceled:t cancelled:t cargo:c category:al changed:p channel:c cidade:c cidr:c city:c ciudad:c \
    ciudade:c client:c cliente:c closed:t cluster:c cohort:c cohorte:c color:p colour:p comment:p company:c condicao:c \
    condicion:c condicione:c condicoe:c condition:c confidence:a constraint:c conta:c contact:a convidado:t correo:c \
    count:p country:c creacion:p creada:p creado:p created:p creator:a criacao:p criada:p criado:p criteria:c cuenta:c \
    currency:c current:b currently:b customer:c datacenter:c deactivate:t deactivated:t deadline:c decommissioned:t \
    default:b defined:a deletado:t delete:t deleted:t denied:s deny:s denylist:s departamento:c department:c depend:c \
    dependency:c desabilitada:t desabilitado:t desactivada:t desactivado:t desarrollo:t desativada:t desativado:t \
    desc:p descricao:p descripcion:p description:p desde:c desenvolvimento:t deshabilitada:t deshabilitado:t dev:t \
    development:t device:c disable:t disabled:t discontinued:t display:p disponibilidad:c disponibilidade:c \
    disponible:g disponivel:g dispositivo:c division:c doc:p documentation:p domain:c dominio:c draft:t edad:c \
    edition:c effective:c eligibility:s eligible:s eliminada:t eliminado:t email:c empresa:c enable:g enabled:g \
    encendida:g encendido:g end:c ending:c entitled:c entitlement:c entorno:c env:c environment:c epic:p equipe:c \
    equipo:c escola:c escuela:c estado:g evaluated:p everyone:g except:s exclude:s excluded:s excluida:s excluido:s \
    excluir:s exclusive:s exempt:s experiment:b expira:c expirada:t expirado:t expiration:c expire:c expired:t \
    expiry:c exposure:h external:l facing:a feature:bl fid:l filial:c filter:c fim:c fin:c final:c finalizada:t \
    finalizado:t firm:c flag:bl for:bs forbidden:s fraction:h franchise:c from:c funcao:c gate:t gender:c geo:c \
    global:g globally:g gradual:h group:c grupo:c guest:t guid:l habilitada:g habilitado:g hash:p hasta:c help:p \
    hidden:t hide:t hint:p history:p homologacao:t host:c hostname:c icon:p id:l idade:c identity:c idioma:c image:p \
    implemented:a in:c inactiva:t inactive:t inactivo:t inativa:t inativo:t include:s included:s incluida:s incluido:s \
    incluir:s industry:c inhabilitada:t inhabilitado:t inicio:c inquilino:c inscripcion:c instance:c interna:t \
    internal:t interno:t introduced:a invitado:t invitation:s invite:s invited:s ip:c ips:c is:b issue:p jira:p kill:t \
    killed:t killswitch:t kind:a label:p language:c last:p launch:c legacy:l level:c liberada:g liberado:g license:c \
    lifecycle:bg ligada:g ligado:g limit:c limited:c link:p live:g locale:c location:c log:p logged:t login:t loja:c \
    mail:c maintainer:a market:c max:c maxima:c maximo:c member:c merchant:c message:p metric:p milestone:a min:c \
    minima:c minimo:c modificada:p modificado:p modified:p module:al moeda:c moneda:c motivo:p name:a nationality:c \
    negra:s nivel:c nivele:c nombre:a nome:a nota:p note:p notification:p objetivo:s observacao:p observacion:p \
    observacione:p observacoe:p obsolete:t oculta:t oculto:t on:g only:s operator:c opt:t optin:t optout:t order:a \
    org:c organisation:c organizacao:c organizacion:c organizacione:c organizacoe:c organization:c os:c override:c \
    owner:a owning:a package:c pai:c paise:c papel:c para:s parent:c partner:c pausada:t pausado:t paused:t pct:h \
    people:c percent:h percentage:h percentual:h perfi:c perfil:c perfile:c permille:h permiso:c permissao:c \
    permission:c permissoe:c permitida:s permitido:s person:c persona:c plan:c plane:c plano:c plataforma:c platform:c \
    plazo:c porcentagem:h porcentaje:h porcento:h porciento:h position:a postal:c postcode:c prazo:c premium:t \
    prereq:c prerequisite:c preview:t priority:a privada:t privado:t private:t probability:h prod:t producao:t \
    produccion:t production:t profile:c prohibited:s project:c projeto:c proportion:h province:c provincia:c \
    proyecto:c prueba:t public:gl publica:g publicada:g publicado:g publico:g published:g qa:t ramp:h rascunho:t \
    rate:p ratio:h reason:p record:b regiao:c regioe:c region:c regione:c regla:c related:a released:g remark:p \
    removed:t removido:t requer:t requerido:t requiere:t require:t required:t requirement:t requisito:t reseller:c \
    responsable:a responsavel:a responsible:a restrict:s restricted:s restringida:s restringido:s restrita:s \
    restrito:s result:a retirada:t retirado:t retired:t reviewer:a revoked:t ring:c risk:a rol:c role:c rollout:h \
    row:bl rule:c sampling:h schedule:c scheduled:c schema:p school:c scope:c sector:c sede:c seen:p segment:c \
    segmento:c setor:c severity:a shard:c share:h site:c situacao:g size:a slack:p solamente:s solo:s somente:s sort:a \
    staff:t stage:c staging:t start:c starting:c stat:p state:bg statistic:p statu:g steward:a stopped:t store:c \
    story:p strategy:c subject:c subscriber:c subscription:c sucursal:c sucursale:c sunset:c suscripcion:c suspended:t \
    suspendida:t suspendido:t suspensa:t suspenso:t tag:a target:s targeted:s targeting:s team:c template:p tenant:c \
    terminated:t teste:t tester:c ticket:p tienda:c tier:c till:c title:p to:c toggle:bl toggled:p tooltip:p total:p \
    traffic:h type:al ui:a unavailable:t unicamente:s unpublished:t until:c updated:p uri:p url:p used:a user:c \
    username:c usuaria:c usuario:c uuid:l valid:c validity:c vence:c vencida:t vencido:t vencimiento:c vendor:c \
    vigencia:c vigente:g visibility:c visible:g visitor:c waitlist:s wave:c whitelist:s whitelisted:s wiki:p window:c \
    workspace:c zip:c zone:c";

const COUNT: usize = 610;

/// Where a word begins in the text, and its length.
pub(super) type Entry = (u16, u8);

/// All words; one that is to be found is looked for among some of them.
pub(super) static WORDS: [Entry; COUNT] = words();

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "checked when it is compiled")]
const fn words() -> [Entry; COUNT] {
    let (text, mut words, mut count) = (TEXT.as_bytes(), [(0, 0); COUNT], 0);
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        match text[at] {
            b':' => {
                words[count] = (start as u16, (at - start) as u8);
                count += 1;
            }
            b' ' => start = at + 1,
            _ => {}
        }
        at += 1;
    }
    assert!(count == COUNT && text.len() < u16::MAX as usize, "the words are counted");
    words
}

fn word((start, len): Entry) -> &'static [u8] {
    let start = usize::from(start);
    TEXT.as_bytes().get(start..start + usize::from(len)).unwrap_or_default()
}

/// The words that begin with the same letter.
pub(super) fn alike(text: &str) -> &'static [Entry] {
    let first = text.as_bytes().first();
    let begin = WORDS.partition_point(|entry| word(*entry).first() < first);
    let end = WORDS.partition_point(|entry| word(*entry).first() <= first);
    WORDS.get(begin..end).unwrap_or_default()
}

/// The lists that a text is on, one bit each, if it is one of these words.
pub(super) fn lists_of(text: &str, words: &[Entry]) -> u16 {
    let found = words.binary_search_by(|entry| word(*entry).cmp(text.as_bytes()));
    let Some((start, len)) = found.ok().and_then(|at| words.get(at)) else { return 0 };
    let lists = TEXT.as_bytes().iter().skip(usize::from(*start) + usize::from(*len) + 1);
    lists.take_while(|letter| **letter != b' ').fold(0, |bits, letter| bits | List::of_letter(*letter).bit())
}

/// The texts by which a gate field is off besides those of a switch and a status (2.2.28).
#[rustfmt::skip]
pub(super) const IDLE: &str = "\
    apagada apagado archivada archivado archive arquivada arquivado borrada borrado borrador caducada caducado \
    cancelada cancelado canceled cerrada cerrado deactivated delete desabilitada desabilitado desactivada \
    desactivado desativada desativado deshabilitada deshabilitado desligada desligado eliminada eliminado encerrada \
    encerrado excluida excluido expirada expirado falso finalizada finalizado hidden inactiva inactivo inativa \
    inativo inhabilitada inhabilitado nao oculta oculto pausada pausado paused pendente pendiente rascunho removed \
    retirada retirado revoked suspendida suspendido suspensa suspenso terminated unavailable unpublished vencida \
    vencido";
