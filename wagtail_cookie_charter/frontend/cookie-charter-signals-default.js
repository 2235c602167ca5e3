/**
 * Google's Consent Mode, advanced: everything is denied before any tag of Google's runs, and the
 * tags wait a moment for the visitor's choice. Only for sites that chose that mode (R59).
 * https://developers.google.com/tag-platform/security/guides/consent
 */
/** @type {any} */ (window).dataLayer ||= [];
(function () {
  /** @type {any} */ (window).dataLayer.push(arguments);
})(
  // @ts-ignore: Google reads the arguments object itself, which an array is not.
  'consent',
  'default',
  {
    ad_storage: 'denied',
    ad_user_data: 'denied',
    ad_personalization: 'denied',
    analytics_storage: 'denied',
    functionality_storage: 'denied',
    personalization_storage: 'denied',
    security_storage: 'denied',
    wait_for_update: 500,
  },
);
