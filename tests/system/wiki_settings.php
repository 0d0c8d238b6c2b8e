<?php
// Settings of the test wiki, appended to those that MediaWiki's installer writes.

$wgCacheDirectory = getenv( 'WIKI_CACHE_DIRECTORY' );
$wgLocalisationCacheConf['store'] = 'array';
$wgParserCacheType = CACHE_NONE;
$wgSessionCacheType = CACHE_DB;
$wgJobRunRate = 0;

// What the extension Disambiguator does, which Debian does not package: __DISAMBIG__ becomes a page property.
$wgHooks['GetDoubleUnderscoreIDs'][] = static function ( array &$ids ) {
	$ids[] = 'disambiguation';
};
$wgHooks['LocalisationCacheRecache'][] = static function ( $cache, $code, array &$data ) {
	$data['magicWords']['disambiguation'] = [ 0, '__DISAMBIG__' ];
	$data['list']['magicWords'] = array_keys( $data['magicWords'] );
};
